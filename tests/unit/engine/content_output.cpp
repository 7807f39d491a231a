#include "support/amqp_frames.hpp"
#include <leveret/engine/content_output.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace leveret;
using namespace leveret::test;

namespace {

std::string bytes_of(const engine::output_buffer& out)
{
    std::string bytes;
    out.for_each_piece([&](const char* data, std::size_t n) {
        bytes.append(data, n);
        return true;
    });
    return bytes;
}

/// A delivery by the library's plain encoder.
std::string expected(std::uint64_t tag, bool redelivered, std::string_view body,
                     const properties& p, std::uint32_t frame_max)
{
    wire::basic::deliver m;
    m.consumer_tag = "tag";
    m.delivery_tag = tag;
    m.redelivered = redelivered;
    m.exchange = "x";
    m.routing_key = "key";
    return frame(5, m) + content(5, body, p, frame_max - 8);
}

} // namespace

TEST_CASE("delivery_head: deliveries of every kind of size are as the plain encoder writes them")
{
    for (const std::uint32_t frame_max : {4096U, 131072U})
        for (const properties& p : {properties(), properties().type("t").headers({{"a", 1}})}) {
            engine::delivery_head head;
            head.assign(5, "tag", "x", "key", p);
            std::uint64_t tag = 0x0102030405060700U;
            for (const std::size_t size : {0U, 1U, 7U, 100U, 4087U, 4088U, 4089U, 16383U, 16384U,
                                           131064U, 131065U, 300000U}) {
                CAPTURE(size);
                const std::string body(size, 'b');
                engine::output_buffer out;
                head.append(out, ++tag, size % 2 == 0, payload(body), frame_max);
                CHECK((bytes_of(out) == expected(tag, size % 2 == 0, body, p, frame_max)));
            }
        }
}

TEST_CASE("delivery_head: a large body is referred to, however small its frames are")
{
    engine::delivery_head head;
    head.assign(5, "tag", "x", "key", properties());
    const payload body(std::string(1'000'000, 'b'));
    for (const std::uint32_t frame_max : {4096U, 8192U, 131072U}) {
        CAPTURE(frame_max);
        engine::output_buffer out;
        head.append(out, 1, false, body, frame_max);
        std::size_t copied = 0;
        out.for_each_piece([&](const char* data, std::size_t size) {
            if (data < body.data() || data >= body.data() + body.size())
                copied += size;
            return true;
        });
        CHECK(copied < 10'000);
    }
}

TEST_CASE("append_content: a returned message")
{
    engine::output_buffer out;
    wire::basic::return_ m;
    m.reply_code = 312;
    m.reply_text = "NO_ROUTE";
    m.routing_key = "key";
    engine::append_content(out, 1, m, properties(), payload("body"), 4096);
    CHECK(bytes_of(out) == return_frames(1, "key", "body"));
}
