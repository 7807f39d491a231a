#include <leveret/core/publish_result.hpp>

#include <doctest/doctest.h>

#include <type_traits>

using leveret::publish_outcome;
using leveret::publish_result;
using leveret::reply_code;

namespace {

static_assert(!std::is_aggregate_v<publish_result>);
static_assert(!std::is_convertible_v<publish_result, bool>); // only where a condition is wanted
static_assert(!std::is_convertible_v<publish_outcome, publish_result>);

} // namespace

TEST_CASE("publish result: one of three outcomes, true if the broker has the message")
{
    const publish_result confirmed(publish_outcome::confirmed);
    CHECK(confirmed);
    CHECK(confirmed.is_confirmed());
    CHECK_FALSE(confirmed.is_rejected());
    CHECK_FALSE(confirmed.is_unroutable());
    CHECK(confirmed.reply_code() == reply_code::success);
    CHECK(confirmed.reply_text().empty());
    CHECK(publish_result{}.outcome() == publish_outcome::confirmed);

    const publish_result rejected(publish_outcome::rejected);
    CHECK_FALSE(rejected);
    CHECK(rejected.is_rejected());
    CHECK_FALSE(rejected.is_confirmed());
    CHECK_FALSE(rejected.is_unroutable());
    CHECK(rejected.reply_code() == reply_code::success);

    const publish_result unroutable(reply_code::no_route, "NO_ROUTE");
    CHECK_FALSE(unroutable);
    CHECK(unroutable.is_unroutable());
    CHECK_FALSE(unroutable.is_confirmed());
    CHECK_FALSE(unroutable.is_rejected());
    CHECK(unroutable.outcome() == publish_outcome::unroutable);
    CHECK(unroutable.reply_code() == reply_code::no_route);
    CHECK(unroutable.reply_text() == "NO_ROUTE");
}
