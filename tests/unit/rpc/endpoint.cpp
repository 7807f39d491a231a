// Handlers: signatures, arguments by position and by name, and what is refused before a handler runs.
#include <leveret/rpc/endpoint.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lv = leveret;
using lv::json;
using namespace lv::rpc;

namespace {

struct account {
    int balance = 10;
    int add(int n) { return balance += n; }
    [[nodiscard]] int get() const noexcept { return balance; }
};
int twice(int n) { return 2 * n; }

struct bank {
    using transfer = method<"transfer", bool(std::string, int), "to", "amount">;
    using close = method<"close", void()>;
};

json call(endpoint& e, std::string_view name, std::string_view arguments)
{
    detail::handler* const h = e.find(name);
    REQUIRE(h != nullptr);
    const request r;
    return h->call(r, json::parse(arguments));
}
std::string refusal(endpoint& e, std::string_view name, std::string_view arguments)
{
    try {
        static_cast<void>(call(e, name, arguments));
    } catch (const failure& f) {
        CHECK(f.kind() == failure_kind::invalid_arguments);
        return f.message();
    }
    return "it was called";
}

} // namespace

TEST_CASE("endpoint: functions, lambdas and members")
{
    account a;
    endpoint e{{.name_space = "bank", .version = "1.1"}};
    e.add("twice", &twice).add<"n">("add", &account::add, a).add("get", &account::get, a);
    e.add("nothing", [] {});
    e.add("context", [](const request& r, int n) { return r.method().empty() ? n : 0; });
    int calls = 0;
    e.add("mutable", [calls]() mutable { return ++calls; });
    CHECK(call(e, "twice", "[21]") == 42);
    CHECK(call(e, "add", R"({"n": 5})") == 15);
    CHECK(call(e, "add", "[5]") == 20);
    CHECK(call(e, "get", "{}") == 20);
    CHECK(call(e, "nothing", "[]") == nullptr);
    CHECK(call(e, "context", "[7]") == 7);
    CHECK(call(e, "mutable", "[]") == 1);
    CHECK(call(e, "mutable", "[]") == 2);
    CHECK(e.find("missing") == nullptr);
    CHECK(e.name_space() == "bank");
    CHECK(e.method_by_position() == "context");
    CHECK_THROWS_AS(e.add("twice", &twice), lv::usage_error);
    CHECK_THROWS_AS((endpoint{{.version = "one"}}), lv::usage_error);
}

TEST_CASE("endpoint: arguments")
{
    endpoint e;
    e.add<"a", "b">("named", [](int a, std::optional<std::string> b) { return std::to_string(a) + b.value_or("-"); });
    e.add<"a">("rest", [](int a, keywords k) { return json{{"a", a}, {"rest", k.values()}}; });
    e.add("list", [](const std::vector<int>& v) { return v.size(); });
    CHECK(call(e, "named", R"({"a": 1, "b": "x"})") == "1x");
    CHECK(call(e, "named", R"({"a": 1})") == "1-");
    CHECK(call(e, "named", R"({"a": 1, "b": null})") == "1-");
    CHECK(call(e, "named", R"([1, "x"])") == "1x");
    CHECK(call(e, "named", "[1]") == "1-");
    CHECK(call(e, "rest", R"({"a": 1, "x": 2})") == json::parse(R"({"a": 1, "rest": {"x": 2}})"));
    CHECK(call(e, "list", "[[1, 2, 3]]") == 3);
    CHECK(refusal(e, "named", "{}") == "argument 'a' is missing");
    CHECK(refusal(e, "named", "[]") == "argument 'a' is missing");
    CHECK(refusal(e, "named", R"({"a": 1, "c": 2})") == "unexpected argument 'c'");
    CHECK(refusal(e, "named", R"({"a": 1.5})") == "argument 'a': an integer is wanted and not a number");
    CHECK(refusal(e, "named", R"([1, "x", 2])") == "at most 2 arguments are wanted and not 3");
    CHECK(refusal(e, "list", "[[1, true]]") == "argument 1: 1: an integer is wanted and not a boolean");
    CHECK(refusal(e, "list", R"({"v": [1]})") == "unexpected argument 'v'");
}

TEST_CASE("endpoint: methods of a shared interface")
{
    endpoint e;
    int sum = 0;
    e.add<bank::transfer>([&sum](std::string_view, long amount) {
        sum += static_cast<int>(amount);
        return true;
    });
    e.add<bank::close>([] {});
    CHECK(call(e, "transfer", bank::transfer::pack("bob", 3)) == true);
    CHECK(sum == 3);
    CHECK(bank::transfer::pack("bob", 3) == R"({"to":"bob","amount":3})");
    CHECK(bank::close::pack() == "{}");
    CHECK(e.method_by_position().empty());

    using twice = lv::rpc::method<"twice", int(int)>;
    e.add<twice>([](const lv::rpc::request& r, int n) { return (r.method().empty() ? 0L : 0L) + 2L * n; });
    CHECK(call(e, "twice", "[21]") == 42);
    CHECK_THROWS_WITH_AS(call(e, "twice", "[2000000000]"), "rpc: a value is out of the range that the interface has for it",
                         lv::usage_error);
    using maybe = lv::rpc::method<"maybe", int(std::optional<int>)>;
    CHECK(maybe::pack(5L) == "[5]");
    CHECK(maybe::pack(std::nullopt) == "[null]");
    CHECK(maybe::pack(std::optional<short>(7)) == "[7]");
    CHECK_THROWS_AS(static_cast<void>(maybe::pack(5'000'000'000L)), lv::usage_error);
    using lv::rpc::detail::fits;
    using lv::rpc::detail::fits_whole;
    static_assert(!fits<double, std::optional<int>> && !fits<bool, std::optional<int>> && fits<long, std::optional<int>>);
    static_assert(!fits_whole<std::int64_t, std::optional<short>> && !fits_whole<int, float> && fits_whole<int, double>);
    static_assert(!fits_whole<std::int64_t, double> && fits_whole<int, std::optional<std::int64_t>>);
    using half = lv::rpc::method<"half", float(float)>;
    CHECK(half::pack(0.5) == "[0.5]");
    CHECK_THROWS_AS(static_cast<void>(half::pack(1e300)), lv::usage_error);
}

TEST_CASE("call: arguments are written as they are, and none twice")
{
    using lv::rpc::arg;
    using lv::rpc::detail::pack;
    CHECK(pack<false>() == "[]");
    CHECK(pack<true>() == "{}");
    CHECK(pack<false>(1, -2L, true, nullptr, "a\"\\b", 0.5, std::vector<int>{1, 2}) == R"([1,-2,true,null,"a\"\\b",0.5,[1,2]])");
    constexpr auto least = std::numeric_limits<std::int64_t>::min();
    constexpr auto most = std::numeric_limits<std::uint64_t>::max();
    CHECK(pack<false>(least) == "[-9223372036854775808]");
    CHECK(pack<false>(most, 0, most, short{-1}) == "[18446744073709551615,0,18446744073709551615,-1]");
    CHECK(pack<false>(std::string("h\u00e9\n\x01")) == "[\"h\u00e9\\n\\u0001\"]");
    CHECK(pack<true>(arg("a", 1), arg("b\"", std::optional<int>())) == R"({"a":1,"b\"":null})");
    CHECK_THROWS_WITH_AS(static_cast<void>(pack<true>(arg("a", 1), arg("b", 2), arg("a", 3))), "rpc: the argument 'a' is given twice",
                         lv::usage_error);
    CHECK_THROWS_AS(static_cast<void>(pack<false>(std::string("\xff"))), lv::usage_error);
}

TEST_CASE("endpoint: arguments of a shared interface are not bent")
{
    using small = method<"small", void(std::uint8_t, std::string)>;
    CHECK(small::pack(255, "x") == R"([255,"x"])");
    CHECK(small::pack(7L, std::string("y")) == R"([7,"y"])");
    CHECK_THROWS_WITH_AS(static_cast<void>(small::pack(256, "x")), "rpc: a value is out of the range that the interface has for it",
                         lv::usage_error);
    CHECK_THROWS_AS(static_cast<void>(small::pack(-1, "x")), lv::usage_error);
}
