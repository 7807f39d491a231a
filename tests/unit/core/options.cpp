// The shape of options, which is what keeps `co_await f({.member = ..})` safe with g++ 12, and their
// defaults, which users rely on.
#include <leveret/core/options.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <concepts>
#include <string>
#include <type_traits>

using namespace leveret;
using namespace std::chrono_literals;

namespace {

struct owns_text {
    std::string text;
};
static_assert(!safe_options<owns_text>); // the concept can fail
static_assert(!safe_options<std::string>);
static_assert(safe_options<queue_options> && std::is_trivially_copyable_v<queue_options>);

// A table is named and lives at the caller: a temporary one is refused.
static_assert(std::convertible_to<const table&, table_ref> && std::convertible_to<table&, table_ref>);
static_assert(!std::convertible_to<table, table_ref> && !std::convertible_to<const table, table_ref>);
static_assert(table_ref{}.get() == nullptr);

// Defaults.
static_assert(default_timeout == duration(30s));
static_assert(!queue_options{}.passive && !queue_options{}.durable && !queue_options{}.exclusive &&
              !queue_options{}.auto_delete && !queue_options{}.no_wait);
static_assert(queue_options{}.message_ttl.is_never() && queue_options{}.expires.is_never());
static_assert(!queue_options{}.max_length && !queue_options{}.dead_letter_exchange);
static_assert(queue_options{}.type == queue_type::by_default &&
              queue_options{}.overflow == overflow::by_default);
static_assert(!exchange_options{}.durable && !exchange_options{}.internal &&
              !exchange_options{}.alternate_exchange);
static_assert(!consume_options{}.prefetch && !consume_options{}.no_ack);
static_assert(!publish_options{}.mandatory && confirmed_publish_options{}.mandatory);
static_assert(queue_options{}.timeout == default_timeout && exchange_options{}.timeout == default_timeout &&
              bind_options{}.timeout == default_timeout && consume_options{}.timeout == default_timeout &&
              delete_queue_options{}.timeout == default_timeout &&
              delete_exchange_options{}.timeout == default_timeout &&
              call_options{}.timeout == default_timeout && get_options{}.timeout == default_timeout &&
              publish_options{}.timeout == default_timeout &&
              confirmed_publish_options{}.timeout == default_timeout);

std::string describe(queue_options o) { return o.arguments.get() == nullptr ? "none" : "some"; }

} // namespace

TEST_CASE("options: designated initialisers, as users write them")
{
    const table more{{"x-custom", 1}};
    const queue_options o{.durable = true,
                          .message_ttl = 60s,
                          .max_length = 1000,
                          .overflow = overflow::reject_publish,
                          .dead_letter_exchange = "dlx",
                          .type = queue_type::quorum,
                          .arguments = more,
                          .timeout = 5s};
    CHECK(o.durable);
    CHECK(o.message_ttl.count_ms() == 60000);
    CHECK(*o.max_length == 1000);
    CHECK(*o.dead_letter_exchange == "dlx");
    CHECK(o.arguments.get() == &more);
    CHECK(o.timeout == duration(5s));
    CHECK(describe({.arguments = more}) == "some");
    CHECK(describe({}) == "none");
    CHECK(consume_options{.prefetch = 32, .tag = "me", .priority = -1}.prefetch == 32);
}
