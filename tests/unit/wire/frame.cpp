#include "support/bytes.hpp"
#include "support/random_values.hpp"

#include <leveret/wire/frame.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

using namespace leveret::wire;
using leveret::protocol_errc;
using leveret::test::big_endian;
using leveret::test::bytes;
using leveret::test::exact_bytes;
using leveret::test::random_values;

namespace {

std::string frame_of(frame_type type, std::uint16_t channel, std::string_view payload)
{
    std::string frame(payload.size() + frame_overhead, '?');
    writer out(frame.data(), frame.size());
    write_frame_header(out, type, channel, payload.size());
    out.bytes(payload);
    out.u8(frame_end);
    REQUIRE(out.ok());
    REQUIRE(out.size() == frame.size());
    return frame;
}

protocol_errc error_of(std::string_view input, std::uint32_t frame_max = frame_min_size)
{
    const frame_view view = parse_frame(input, frame_max);
    if (view.error != protocol_errc::none) {
        CHECK(view.size == 0);
        CHECK(view.payload.empty());
    }
    return view.error;
}

} // namespace

TEST_CASE("frame: golden bytes")
{
    CHECK(frame_of(frame_type::body, 1, "hello") == bytes("03 0001 00000005 'hello' ce"));
    CHECK(heartbeat_frame == bytes("08 0000 00000000 ce"));
    CHECK(protocol_header == bytes("'AMQP' 00 00 09 01"));

    const std::string body = bytes("03 fffe 00000005 'hello' ce");
    const std::string input = body + "more";
    const frame_view view = parse_frame(input, frame_min_size);
    CHECK(view.size == body.size());
    CHECK(view.needed == 0);
    CHECK(view.type == frame_type::body);
    CHECK(view.channel == 0xfffe);
    CHECK(view.payload == "hello");
}

TEST_CASE("frame: a type is judged by the first byte, every one of them")
{
    for (unsigned type = 0; type < 256; ++type) {
        CAPTURE(type);
        const std::string input(1, static_cast<char>(static_cast<unsigned char>(type)));
        const bool is_known = type == 1 || type == 2 || type == 3 || type == 8;
        const auto wanted = is_known      ? protocol_errc::none
                            : type == 'A' ? protocol_errc::protocol_header
                                          : protocol_errc::frame_type;
        CHECK(error_of(input) == wanted);
        CHECK(error_of(input + std::string(20, '\0')) == (is_known ? protocol_errc::frame_end : wanted));
    }
    CHECK(error_of("HTTP/1.1 400 Bad Request\r\n") == protocol_errc::frame_type);
    CHECK(error_of(bytes("'AMQP' 01 01 00 0a")) == protocol_errc::protocol_header);
}

TEST_CASE("frame: its size is judged before its payload is there")
{
    for (const std::uint32_t frame_max : {frame_min_size, 131072U, 0xffffffffU}) {
        CAPTURE(frame_max);
        // frame_max is the whole frame, with its eight bytes around the payload (as RabbitMQ counts).
        const auto header = [](std::uint64_t size) { return bytes("01 0000") + big_endian(size, 4); };
        const std::uint64_t largest = frame_max - frame_overhead;
        CHECK(error_of(header(largest), frame_max) == protocol_errc::none);
        CHECK(parse_frame(header(largest), frame_max).needed == frame_max);
        CHECK(error_of(header(largest + 1), frame_max) == protocol_errc::frame_too_large);
        CHECK(error_of(header(0xffffffff), frame_max) == protocol_errc::frame_too_large);
        if (frame_max <= 131072) {
            CHECK(error_of(header(0x7fffffff), frame_max) == protocol_errc::frame_too_large);
            const std::string payload(static_cast<std::size_t>(largest), 'p');
            const std::string frame = frame_of(frame_type::body, 1, payload);
            CHECK(parse_frame(frame, frame_max).size == frame_max);
            CHECK(parse_frame(frame, frame_max).payload == payload);
            CHECK(error_of(frame, frame_max - 1) == protocol_errc::frame_too_large);
        }
    }
}

TEST_CASE("frame: only 0xCE ends it")
{
    for (unsigned octet = 0; octet < 256; ++octet) {
        CAPTURE(octet);
        std::string input = frame_of(frame_type::method, 1, "payload");
        input.back() = static_cast<char>(static_cast<unsigned char>(octet));
        CHECK(error_of(input) == (octet == 0xce ? protocol_errc::none : protocol_errc::frame_end));
        CHECK(error_of(input + "\xce") ==
              (octet == 0xce ? protocol_errc::none : protocol_errc::frame_end));
    }
}

TEST_CASE("frame: what is missing is asked for, whatever is there")
{
    for (const std::size_t size : {0U, 1U, 300U}) {
        const std::string frame = frame_of(frame_type::header, 9, std::string(size, '\xce'));
        for (std::size_t n = 0; n < frame.size(); ++n) {
            const exact_bytes cut(std::string_view(frame).substr(0, n));
            const frame_view view = parse_frame(cut.view(), frame_min_size);
            CHECK(view.error == protocol_errc::none);
            CHECK(view.size == 0);
            CHECK(view.payload.empty());
            CHECK(view.needed == (n < frame_header_size ? frame_header_size : frame.size()));
        }
        CHECK(parse_frame(frame, frame_min_size).size == frame.size());
    }
}

TEST_CASE("frame: any split of a stream gives the same frames")
{
    struct sent {
        frame_type type;
        std::uint16_t channel;
        std::string payload;
    };
    random_values random(1);
    for (int round = 0; round < 200; ++round) {
        std::vector<sent> frames(1 + random.size_below(12));
        std::string stream;
        for (sent& f : frames) {
            constexpr frame_type types[] = {frame_type::method, frame_type::header, frame_type::body,
                                            frame_type::heartbeat};
            f = {types[random.below(4)], random.integer<std::uint16_t>(), random.text(4088)};
            stream += frame_of(f.type, f.channel, f.payload);
        }
        std::string input;
        std::size_t arrived = 0;
        std::size_t next = 0;
        while (next < frames.size()) {
            const frame_view view = parse_frame(input, frame_min_size);
            REQUIRE(view.error == protocol_errc::none);
            if (view.size == 0) {
                REQUIRE(view.needed > input.size());
                REQUIRE(view.needed <= input.size() + stream.size() - arrived);
                const std::size_t n = 1 + random.size_below(stream.size() - arrived);
                input += stream.substr(arrived, n);
                arrived += n;
                continue;
            }
            REQUIRE(view.type == frames[next].type);
            REQUIRE(view.channel == frames[next].channel);
            REQUIRE(view.payload == frames[next].payload);
            input.erase(0, view.size);
            ++next;
        }
        CHECK(input.size() + stream.size() - arrived == 0);
    }
}
