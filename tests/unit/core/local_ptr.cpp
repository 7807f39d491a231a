#include <leveret/core/local_ptr.hpp>

#include <doctest/doctest.h>

#include <concepts>
#include <type_traits>
#include <utility>

using leveret::local_counted;
using leveret::local_ptr;

namespace {

struct base : local_counted {
    explicit base(int& alive) : alive_(alive) { ++alive_; }
    virtual ~base() { --alive_; }
    int& alive_;
    int value = 1;
};
struct derived final : base {
    using base::base;
};
struct unrelated : local_counted {};

static_assert(std::convertible_to<local_ptr<derived>, local_ptr<base>>);
static_assert(!std::convertible_to<local_ptr<base>, local_ptr<derived>>);
static_assert(!std::convertible_to<local_ptr<unrelated>, local_ptr<base>>);
static_assert(!std::convertible_to<base*, local_ptr<base>>); // taking over must be said
static_assert(std::is_nothrow_copy_constructible_v<local_ptr<base>> &&
              std::is_nothrow_move_constructible_v<local_ptr<base>>);

} // namespace

TEST_CASE("local pointer: the last owner deletes")
{
    int alive = 0;
    {
        local_ptr<base> a(new base(alive));
        CHECK(alive == 1);
        {
            const local_ptr<base> b = a;
            CHECK(b == a);
            CHECK(b.get() == a.get());
            a = nullptr;
            CHECK(alive == 1);
            CHECK(b->value == 1);
            CHECK(&(*b).value == &b->value);
        }
        CHECK(alive == 0);
        CHECK_FALSE(a);
    }
    CHECK(alive == 0);
}

TEST_CASE("local pointer: moves don't count")
{
    int alive = 0;
    local_ptr<base> a(new base(alive));
    base* raw = a.get();
    local_ptr<base> b = std::move(a);
    CHECK(a.get() == nullptr); // NOLINT: on purpose
    CHECK(b.get() == raw);
    a = std::move(b);
    CHECK(a.get() == raw);
    CHECK(alive == 1);
    a = *&a; // to itself
    CHECK(alive == 1);
    a = local_ptr<base>(new base(alive));
    CHECK(alive == 1);
    CHECK(a.get() != nullptr);
    a = nullptr;
    CHECK(alive == 0);
}

TEST_CASE("local pointer: several owners of different type, one object")
{
    int alive = 0;
    local_ptr<base> a;
    {
        const local_ptr<derived> d(new derived(alive));
        a = d;
        CHECK(a.get() == d.get());
    }
    CHECK(alive == 1);
    const local_ptr<base> again(a.get()); // the count is in the object
    a = nullptr;
    CHECK(alive == 1);
    CHECK(again);
}

TEST_CASE("local pointer: nothing at first")
{
    const local_ptr<base> a;
    const local_ptr<base> b = nullptr;
    CHECK_FALSE(a);
    CHECK(a == b);
    CHECK(a == nullptr);
    const local_ptr<base> c = a;
    CHECK_FALSE(c);
}
