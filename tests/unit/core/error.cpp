#include <leveret/core/error.hpp>

#include <doctest/doctest.h>

#include <exception>
#include <ostream>
#include <set>
#include <string>
#include <system_error>
#include <type_traits>

using leveret::diagnostics;
using leveret::errc;
using leveret::fate;
using leveret::protocol_errc;
using leveret::reply_code;

namespace {

static_assert(std::is_base_of_v<std::system_error, leveret::error>);
static_assert(!std::is_aggregate_v<diagnostics>);
static_assert(std::is_error_code_enum_v<reply_code> && std::is_error_code_enum_v<protocol_errc> &&
              std::is_error_code_enum_v<errc>);

leveret::channel_error example()
{
    diagnostics d;
    d.code = 404;
    d.text = "NOT_FOUND - no queue 'task' in vhost '/'";
    d.class_id = 60;
    d.method_id = 20;
    d.channel = 1;
    d.operation = "basic.consume";
    d.operation_fate = fate::refused;
    return {reply_code::not_found,
            "404 NOT_FOUND - no queue 'task' in vhost '/' (basic.consume on channel 1)", d};
}

} // namespace

TEST_CASE("error: what, code and diagnostics")
{
    const auto e = example();
    CHECK(std::string(e.what()) ==
          "404 NOT_FOUND - no queue 'task' in vhost '/' (basic.consume on channel 1)");
    CHECK(e.code() == reply_code::not_found);
    CHECK(e.code() != reply_code::access_refused);
    CHECK(e.code().value() == 404);
    CHECK(e.code().category() == leveret::amqp_category());
    CHECK(e.diagnostics().code == 404);
    CHECK(e.diagnostics().class_id == 60);
    CHECK(e.diagnostics().method_id == 20);
    CHECK(e.diagnostics().channel == 1);
    CHECK(e.diagnostics().operation == "basic.consume");
    CHECK(e.diagnostics().operation_fate == fate::refused);
}

TEST_CASE("error: caught as any of its bases, with its own sentence")
{
    const std::string sentence = example().what();
    try {
        throw example();
    } catch (const std::exception& caught) {
        CHECK(caught.what() == sentence);
    }
    try {
        throw example();
    } catch (const std::system_error& caught) {
        CHECK(caught.what() == sentence);
        CHECK(caught.code() == reply_code::not_found);
    }
    try {
        throw example();
    } catch (const leveret::error& caught) {
        const leveret::error copy = caught;
        CHECK(copy.what() == sentence);
        CHECK(copy.diagnostics().operation == "basic.consume");
    }
    // The kinds don't catch each other.
    CHECK_THROWS_AS(throw example(), leveret::channel_error);
    static_assert(!std::is_base_of_v<leveret::connection_error, leveret::channel_error>);
    static_assert(std::is_base_of_v<leveret::error, leveret::connection_error> &&
                  std::is_base_of_v<leveret::error, leveret::consumer_cancelled> &&
                  std::is_base_of_v<leveret::error, leveret::timeout_error> &&
                  std::is_base_of_v<leveret::error, leveret::usage_error> &&
                  std::is_base_of_v<leveret::error, leveret::operation_cancelled>);
}

TEST_CASE("error: codes of different origin are different, and nothing by default")
{
    const std::error_code said = reply_code::not_found;
    const std::error_code wrong = protocol_errc::frame_end;
    const std::error_code ours = errc::timed_out;
    CHECK(said != wrong);
    CHECK(wrong == protocol_errc::frame_end);
    CHECK(ours == errc::timed_out);
    CHECK(ours != errc::connection_lost);
    CHECK(std::error_code(1, leveret::protocol_category()) != std::error_code(1, leveret::library_category()));
    CHECK(std::error_code(404, std::generic_category()) != reply_code::not_found);
    CHECK_FALSE(std::error_code(errc::none));
    CHECK_FALSE(std::error_code(protocol_errc::none));
    CHECK(&leveret::amqp_category() == &leveret::amqp_category());
    const std::set<std::string> names{leveret::amqp_category().name(), leveret::protocol_category().name(),
                                      leveret::library_category().name()};
    CHECK(names == std::set<std::string>{"amqp", "amqp.protocol", "leveret"});
    CHECK(leveret::diagnostics{}.operation_fate == fate::unknown);
}

TEST_CASE("error: messages of the categories")
{
    CHECK(std::error_code(reply_code::not_found).message() == "404 NOT_FOUND");
    CHECK(std::error_code(777, leveret::amqp_category()).message() == "777 UNKNOWN");
    CHECK(std::error_code(protocol_errc::frame_type).message() == "unknown frame type");
    CHECK(std::error_code(errc::no_free_channel).message() == "all channels are in use");
    CHECK(std::error_code(200, leveret::library_category()).message() == "unknown error");
}

TEST_CASE("error: an invalid argument was never sent")
{
    try {
        leveret::throw_invalid_argument("connect: frame_max must be 4096 or more");
    } catch (const leveret::usage_error& e) {
        CHECK(e.code() == errc::invalid_argument);
        CHECK(std::string(e.what()) == "connect: frame_max must be 4096 or more");
        CHECK(e.diagnostics().operation_fate == fate::never_sent);
        return;
    }
    FAIL("nothing was thrown");
}
