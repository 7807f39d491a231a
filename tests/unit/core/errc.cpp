#include <leveret/core/errc.hpp>
#include <leveret/core/reply_code.hpp>

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <string_view>

using leveret::errc;
using leveret::protocol_errc;
using leveret::reply_code;

namespace {

constexpr auto first_protocol = static_cast<int>(protocol_errc::none);
constexpr auto last_protocol = static_cast<int>(protocol_errc::handshake_size);
constexpr auto last_library = static_cast<int>(errc::no_server);

static_assert(reply_code_for(protocol_errc::frame_end) == reply_code::frame_error);
static_assert(reply_code_for(protocol_errc::frame_too_large) == reply_code::frame_error);
static_assert(reply_code_for(protocol_errc::malformed_table) == reply_code::syntax_error);
static_assert(reply_code_for(protocol_errc::unknown_method) == reply_code::command_invalid);
static_assert(reply_code_for(protocol_errc::unexpected_frame) == reply_code::unexpected_frame);
static_assert(reply_code_for(protocol_errc::channel_number) == reply_code::channel_error);
static_assert(reply_code_for(protocol_errc::message_too_large) == reply_code::content_too_large);
static_assert(reply_code_for(protocol_errc::frame_max_too_small) == reply_code::not_allowed);
static_assert(describe(protocol_errc::none) == "no error" && describe(errc::none) == "no error");

} // namespace

TEST_CASE("errc: every error has a sentence of its own")
{
    std::set<std::string_view> sentences;
    for (int e = first_protocol; e <= last_protocol; ++e)
        sentences.insert(describe(static_cast<protocol_errc>(e)));
    CHECK(sentences.size() == last_protocol + 1);
    CHECK_FALSE(sentences.contains("unknown error"));
    CHECK(describe(static_cast<protocol_errc>(last_protocol + 1)) == "unknown error");

    sentences.clear();
    for (int e = 0; e <= last_library; ++e)
        sentences.insert(describe(static_cast<errc>(e)));
    CHECK(sentences.size() == last_library + 1);
    CHECK_FALSE(sentences.contains("unknown error"));
    CHECK(describe(static_cast<errc>(last_library + 1)) == "unknown error");
}

TEST_CASE("errc: every protocol error has a reply code to close with")
{
    CHECK(reply_code_for(protocol_errc::none) == reply_code::success);
    for (int e = 1; e <= last_protocol; ++e) {
        CAPTURE(e);
        const reply_code code = reply_code_for(static_cast<protocol_errc>(e));
        CHECK(name(code) != "UNKNOWN");
        CHECK(code != reply_code::success);
        CHECK(code != reply_code::internal_error);
    }
    CHECK(reply_code_for(static_cast<protocol_errc>(last_protocol + 1)) == reply_code::internal_error);
}

TEST_CASE("reply codes: names and hardness where the specification is not at hand")
{
    CHECK(name(reply_code::not_found) == "NOT_FOUND");
    CHECK(name(reply_code::success) == "REPLY_SUCCESS");
    CHECK(name(static_cast<reply_code>(0)) == "UNKNOWN");
    CHECK(name(static_cast<reply_code>(65535)) == "UNKNOWN");
    CHECK_FALSE(is_hard(reply_code::not_found));
    CHECK_FALSE(is_hard(reply_code::precondition_failed));
    CHECK(is_hard(reply_code::frame_error));
    CHECK(is_hard(reply_code::connection_forced));
    CHECK(is_hard(static_cast<reply_code>(999))); // what nobody knows is not taken lightly
}
