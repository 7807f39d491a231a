// Why something ended: the sentence for people, the same for programs.
#include <leveret/engine/failure.hpp>

#include <doctest/doctest.h>

#include <ostream>
#include <string>
#include <system_error>

using leveret::errc;
using leveret::fate;
using leveret::protocol_errc;
using leveret::reply_code;
using leveret::engine::failure;

TEST_CASE("failure: what the peer said, with the method and the channel")
{
    const auto f = failure::of_peer(404, "NOT_FOUND - no queue 'task' in vhost '/'", {60, 20}, 1);
    CHECK(f);
    CHECK(f.code == reply_code::not_found);
    CHECK(f.sentence() == "404 NOT_FOUND - no queue 'task' in vhost '/' (basic.consume on channel 1)");
    const auto d = f.diagnostics("basic.consume", fate::refused);
    CHECK(d.code == 404);
    CHECK(d.text == "NOT_FOUND - no queue 'task' in vhost '/'");
    CHECK(d.class_id == 60);
    CHECK(d.method_id == 20);
    CHECK(d.channel == 1);
    CHECK(d.operation == "basic.consume");
    CHECK(d.operation_fate == fate::refused);
}

TEST_CASE("failure: the code's name is said once, and a code without a name too")
{
    CHECK(failure::of_peer(404, "no queue", {}, 0).sentence() == "404 NOT_FOUND - no queue");
    CHECK(failure::of_peer(320, "", {}, 0).sentence() == "320 CONNECTION_FORCED");
    CHECK(failure::of_peer(777, "odd", {}, 0).sentence() == "777 UNKNOWN - odd");
    CHECK(failure::of_peer(403, "no", {10, 40}, 0).sentence() == "403 ACCESS_REFUSED - no (connection.open)");
    CHECK(failure::of_peer(504, "no", {99, 99}, 3).sentence() == "504 CHANNEL_ERROR - no (channel 3)");
}

TEST_CASE("failure: a peer's text is escaped in the sentence and kept as it came for programs")
{
    const std::string text("bad\n\x1b[31m\0\xff", 11);
    const auto f = failure::of_peer(501, text, {}, 0);
    CHECK(f.sentence() == "501 FRAME_ERROR - bad\\n\\x1b[31m\\x00\\xff");
    CHECK(f.diagnostics("", fate::unknown).text == text);
}

TEST_CASE("failure: violations, our own errors, and the system's")
{
    const auto wrong = failure::of_protocol(protocol_errc::body_too_long, "from the server: too long",
                                            {60, 60}, 2);
    CHECK(wrong.code == protocol_errc::body_too_long);
    CHECK(wrong.sentence() == "from the server: too long (basic.deliver on channel 2)");
    CHECK(wrong.diagnostics("", fate::unknown).code == 501);

    const auto ours = failure::of_library(errc::timed_out, "");
    CHECK(ours.sentence() == "the deadline passed");
    CHECK(ours.diagnostics("x", fate::never_sent).code == 0);

    const auto system = failure::of_system(std::make_error_code(std::errc::connection_reset), "read: reset");
    CHECK(system.code == std::errc::connection_reset);
    CHECK(system.sentence() == "read: reset");

    CHECK_FALSE(failure{});
}
