// Messages out of frames: any split, any moment at which the read block is written again, and no more
// memory than what arrived plus what is stated.
#include "support/allocated.hpp"
#include "support/bytes.hpp"
#include "support/random_values.hpp"

#include <leveret/engine/content_assembly.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <string>
#include <string_view>

using leveret::properties;
using leveret::protocol_errc;
using leveret::shared_block;
using leveret::engine::content;
using leveret::engine::content_assembly;
using leveret::test::allocation_watch;
using leveret::test::big_endian;
using leveret::test::bytes;
using leveret::test::random_values;
namespace wire = leveret::wire;
using step = content_assembly::step;

namespace {

constexpr wire::method_number deliver{60, 60};

std::string header_payload(std::uint64_t body_size, const properties& p = {})
{
    std::string payload(wire::content_header_size + wire::encoded_size(p), '?');
    wire::writer out(payload.data(), payload.size());
    wire::encode_content_header(out, body_size, p);
    REQUIRE(out.ok());
    return payload;
}

/// Memory that frames lie in until it is written again.
class read_block {
public:
    std::string_view put(std::string_view bytes) { return frames_.emplace_back(bytes); }
    void leave(content_assembly& assembly)
    {
        assembly.detach();
        for (std::string& frame : frames_)
            std::memset(frame.data(), '#', frame.size());
        frames_.clear();
    }

private:
    std::deque<std::string> frames_;
};

/// The room that may be there for bytes that have not come.
void check_held(const content_assembly& assembly, std::size_t before_body, std::size_t received)
{
    const std::size_t ahead = std::max(content_assembly::first_growth,
                                       std::min(received, content_assembly::most_growth));
    CHECK(assembly.held() <= before_body + received + ahead);
}

} // namespace

TEST_CASE("assembly: any message, in any split, with the read block left at any moment")
{
    random_values random(77);
    wire::limits limits;
    shared_block* block = shared_block::allocate(1);
    int in_place = 0;
    int detached = 0;
    const allocation_watch watch;
    for (int round = 0; round < 2000; ++round) {
        content_assembly assembly;
        read_block source;
        const auto maybe_leave = [&] {
            if (random.one_in(3))
                source.leave(assembly);
        };
        const std::string args = random.text(400);
        const properties sent = random.properties_of(
            random.one_in(3) ? std::uint16_t{0} : static_cast<std::uint16_t>(random.bits() & 0xfffcU));
        std::string body(random.one_in(20) ? random.size_below(3'000'000) : random.size_below(3000), '?');
        for (std::size_t i = 0; i < body.size(); i += 1 + random.size_below(40))
            body[i] = static_cast<char>(random.below(256));

        CHECK(assembly.is_idle());
        assembly.start(deliver, source.put(args));
        CHECK_FALSE(assembly.is_idle());
        CHECK(assembly.method() == deliver);
        maybe_leave();
        step s = assembly.header(source.put(header_payload(body.size(), sent)), limits);
        const std::size_t before_body = args.size() + wire::encoded_size(sent);
        std::size_t received = 0;
        check_held(assembly, before_body, received);
        while (s == step::more) {
            maybe_leave();
            const std::size_t rest = body.size() - received;
            const std::size_t n = random.one_in(3) ? rest : std::min(rest, random.size_below(200'000));
            s = assembly.body(source.put(std::string_view(body).substr(received, n)));
            received += n;
            check_held(assembly, before_body, received);
        }
        REQUIRE(s == step::complete);
        REQUIRE(received == body.size());
        const bool is_in_place = assembly.is_in_place();
        ++(is_in_place ? in_place : detached);
        const content c = assembly.take(block);
        CHECK(assembly.is_idle());
        CHECK(assembly.method() == wire::method_number{}); // a stray frame is not blamed on it
        CHECK(assembly.held() == 0);
        REQUIRE(c.args == args);
        REQUIRE(c.body == body);
        REQUIRE(wire::decode_properties(c.properties) == sent);
        REQUIRE((c.block == block) == is_in_place);
        if (!is_in_place) {
            CHECK(c.block->is_unique());
            c.block->drop_reference();
        }
    }
    CHECK(in_place > 200);
    CHECK(detached > 200);
    CHECK(watch.grown() < 500'000); // nothing was kept (malloc's own caches are)
    block->drop_reference();
}

TEST_CASE("assembly: room is made for what arrives, not for what is announced")
{
    wire::limits limits;
    limits.message_size = std::uint64_t{1} << 62U;
    const std::string args = "args";
    for (const std::uint64_t announced : {std::uint64_t{64} << 20U, std::uint64_t{1} << 40U, std::uint64_t{1} << 62U}) {
        const allocation_watch watch;
        content_assembly assembly;
        assembly.start(deliver, args);
        const std::string header = header_payload(announced);
        REQUIRE(assembly.header(header, limits) == step::more);
        CHECK(assembly.held() == 0); // all of it lies where it came
        assembly.detach();
        check_held(assembly, args.size(), 0);
        std::size_t received = 0;
        for (int i = 0; i < 100'000; ++i) { // empty frames
            REQUIRE(assembly.body("") == step::more);
        }
        check_held(assembly, args.size(), 0);
        for (const std::size_t n : {1U, 1U, 1000U, 131064U, 131064U, 131064U, 131064U, 1U, 4'000'000U, 1U}) {
            const std::string part(n, 'x');
            REQUIRE(assembly.body(part) == step::more);
            received += n;
            check_held(assembly, args.size(), received);
        }
        CHECK(watch.grown() <= assembly.held() + 4096);
        assembly.drop();
        CHECK(assembly.held() == 0);
        CHECK(watch.grown() < 4096);
    }
}

TEST_CASE("assembly: many small bodies don't copy the message again and again")
{
    wire::limits limits;
    content_assembly assembly;
    const std::string args = "a";
    const std::string header = header_payload(10'000'000);
    assembly.start(deliver, args);
    REQUIRE(assembly.header(header, limits) == step::more);
    std::size_t growths = 0;
    std::size_t held = 0;
    const std::string part(1000, 'x');
    for (int i = 0; i < 9999; ++i) {
        REQUIRE(assembly.body(part) == step::more);
        growths += assembly.held() != held ? 1U : 0U;
        held = assembly.held();
    }
    CHECK(growths < 20);
}

TEST_CASE("assembly: the message size limit at its edge")
{
    wire::limits limits;
    limits.message_size = 1000;
    const auto announce = [&](std::uint64_t size) {
        content_assembly assembly;
        assembly.start(deliver, "a");
        const std::string header = header_payload(size);
        const step s = assembly.header(header, limits);
        CHECK((assembly.error() == protocol_errc::message_too_large) == (s == step::error));
        CHECK(assembly.held() == 0);
        return s;
    };
    CHECK(announce(1000) == step::more);
    CHECK(announce(1001) == step::error);
    CHECK(announce(std::uint64_t{1} << 63U) == step::error);
    CHECK(announce(0xffffffffffffffff) == step::error);
    CHECK(announce(0) == step::complete);
}

TEST_CASE("assembly: frames out of order")
{
    const wire::limits limits;
    const std::string header = header_payload(5);
    {
        content_assembly assembly;
        CHECK(assembly.header(header, limits) == step::error);
        CHECK(assembly.error() == protocol_errc::unexpected_frame);
        CHECK(assembly.body("x") == step::error);
        CHECK(assembly.error() == protocol_errc::unexpected_frame);
    }
    for (const bool is_detached : {false, true}) {
        content_assembly assembly;
        assembly.start(deliver, "args");
        if (is_detached)
            assembly.detach();
        CHECK(assembly.body("x") == step::error); // before its header
        CHECK(assembly.error() == protocol_errc::unexpected_frame);

        assembly.start(deliver, "args");
        REQUIRE(assembly.header(header, limits) == step::more);
        if (is_detached)
            assembly.detach();
        CHECK(assembly.header(header, limits) == step::error); // twice
        CHECK(assembly.error() == protocol_errc::unexpected_frame);

        assembly.start(deliver, "args");
        REQUIRE(assembly.header(header, limits) == step::more);
        if (is_detached)
            assembly.detach();
        CHECK(assembly.body("123456") == step::error);
        CHECK(assembly.error() == protocol_errc::body_too_long);

        assembly.start(deliver, "args");
        REQUIRE(assembly.header(header, limits) == step::more);
        REQUIRE(assembly.body("1234") == step::more);
        CHECK(assembly.body("56") == step::error);
        CHECK(assembly.error() == protocol_errc::body_too_long);
    }
}

TEST_CASE("assembly: a header that can't be read is refused with its own error")
{
    const wire::limits limits;
    const auto error_of = [&](std::string_view notation) {
        content_assembly assembly;
        assembly.start(deliver, "a");
        const std::string payload = bytes(notation);
        CHECK(assembly.header(payload, limits) == step::error);
        return assembly.error();
    };
    CHECK(error_of("0032 0000 0000000000000005 0000") == protocol_errc::header_class);
    CHECK(error_of("003c 0000 0000000000000005 0001") == protocol_errc::malformed_header);
    CHECK(error_of("003c 0000 0000000000000005 0000 00") == protocol_errc::trailing_bytes);
    CHECK(error_of("003c 0000 0000000000000005 2000 00000003 01 'k' 'q'") == protocol_errc::field_type);
    CHECK(error_of("") == protocol_errc::malformed_header);
}

TEST_CASE("assembly: a message in the middle can be dropped, and another begun")
{
    const wire::limits limits;
    const std::string header = header_payload(100'000);
    const std::string part(50'000, 'x');
    const allocation_watch watch;
    content_assembly assembly;
    for (int i = 0; i < 100; ++i) {
        assembly.start(deliver, "first"); // over an unfinished one
        REQUIRE(assembly.header(header, limits) == step::more);
        REQUIRE(assembly.body(part) == step::more);
    }
    assembly.drop();
    CHECK(assembly.is_idle());
    CHECK(watch.grown() < 10'000);
    assembly.start({60, 71}, "second");
    CHECK(assembly.method() == wire::method_number{60, 71});
    REQUIRE(assembly.header(header_payload(0), limits) == step::complete);
    const content c = assembly.take(nullptr);
    CHECK(c.args == "second");
    CHECK(c.body.empty());
    CHECK(c.properties.flags() == 0);
}
