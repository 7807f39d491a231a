// Every octet of a delivery's head counts but those of its tag and its redelivered bit, at any length of
// its texts; and nothing is read behind what is there.
#include "support/amqp_frames.hpp"
#include "support/bytes.hpp"

#include <leveret/engine/delivery_shape.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <string>

using leveret::engine::delivery_shape;
using leveret::test::exact_bytes;

namespace {

struct sample {
    std::string bytes;
    delivery_shape::places places;
};

sample delivery(std::size_t tag_size, std::size_t key_size, std::size_t body_size)
{
    sample s;
    leveret::wire::basic::deliver m;
    const std::string tag(tag_size, 't');
    const std::string key(key_size, 'k');
    m.consumer_tag = tag;
    m.routing_key = key;
    m.delivery_tag = 7;
    s.bytes = leveret::test::frame(1, m);
    const std::size_t args_size = s.bytes.size() - 12;
    s.bytes += leveret::test::content(1, std::string(body_size, 'b'));
    s.places = {12 + tag_size, args_size, body_size, s.bytes.size()};
    return s;
}

} // namespace

TEST_CASE("delivery_shape: a change anywhere in the head is seen, but for tag and redelivered")
{
    std::size_t common = 0;
    for (const std::size_t tag_size : {0U, 1U, 3U, 4U, 9U, 20U, 21U, 31U, 60U}) {
        for (const std::size_t key_size : {0U, 1U, 5U, 16U, 17U, 40U}) {
            const sample s = delivery(tag_size, key_size, 3);
            CAPTURE(tag_size);
            CAPTURE(key_size);
            delivery_shape shape;
            CHECK_FALSE(shape.matches(s.bytes));
            shape.remember(s.bytes.data(), s.places);
            const std::size_t head = s.bytes.size() - 3 - 1;
            if (head > 160) {
                CHECK_FALSE(shape.matches(s.bytes)); // too long to be worth it
                continue;
            }
            ++common;
            const exact_bytes all(s.bytes);
            REQUIRE(shape.matches(all.view()));
            CHECK(shape.at().body_at == head);
            CHECK(shape.matches(s.bytes + "more"));
            CHECK_FALSE(shape.matches(exact_bytes(s.bytes.substr(0, s.bytes.size() - 1)).view()));
            for (std::size_t i = 0; i < s.bytes.size(); ++i) {
                std::string other = s.bytes;
                other[i] = static_cast<char>(other[i] ^ 1);
                const bool may_differ = (i >= s.places.tag_at && i < s.places.tag_at + 9) ||
                                        (i >= head && i < s.bytes.size() - 1);
                CAPTURE(i);
                CHECK(shape.matches(other) == may_differ);
            }
            shape.forget();
            CHECK_FALSE(shape.matches(s.bytes));
        }
    }
    CHECK(common > 30);
}
