#include "support/bytes.hpp"
#include "support/random_values.hpp"

#include <leveret/wire/frame.hpp>
#include <leveret/wire/method.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <string_view>

using namespace leveret::wire;
using leveret::protocol_errc;
using leveret::test::exact_bytes;
using leveret::test::hex;
using leveret::test::method_filler;
using leveret::test::random_values;

namespace {

template <method Method>
std::string frame_of(std::uint16_t channel, const Method& m)
{
    std::string frame(frame_size(m), '?');
    writer out(frame.data(), frame.size());
    encode_frame(out, channel, m);
    REQUIRE(out.ok());
    REQUIRE(out.size() == frame.size());
    return frame;
}

/// The error of decoding `arguments`; compares the value.
template <method Method>
protocol_errc decode_exactly(std::string_view arguments, const Method* expected)
{
    const exact_bytes copy(arguments);
    reader in(copy.view());
    const Method m = decode<Method>(in);
    if (expected != nullptr)
        CHECK(m == *expected);
    CHECK(in.remaining() == 0);
    return in.error();
}

} // namespace

TEST_CASE("wire: every method with any values comes back, and none that is cut does")
{
    random_values random(20240501);
    all_methods::for_each([&]<class Method>() {
        CAPTURE(Method::name);
        for (int round = 0; round < 50; ++round) {
            method_filler filler(random);
            Method sent;
            Method::fields(sent, filler);
            const auto channel = random.integer<std::uint16_t>();
            const std::string frame = frame_of(channel, sent);
            CAPTURE(hex(frame));

            const frame_view whole = parse_frame(frame, 1U << 20U);
            REQUIRE(whole.size == frame.size());
            REQUIRE(whole.error == protocol_errc::none);
            REQUIRE(whole.type == frame_type::method);
            REQUIRE(whole.channel == channel);
            reader in(whole.payload);
            REQUIRE(in.u16() == Method::id.class_id);
            REQUIRE(in.u16() == Method::id.method);
            REQUIRE(decode<Method>(in) == sent);
            REQUIRE(in.ok());

            const std::string_view arguments = whole.payload.substr(4);
            for (std::size_t n = 0; n < arguments.size(); ++n)
                REQUIRE(decode_exactly<Method>(arguments.substr(0, n), nullptr) ==
                        protocol_errc::malformed_arguments);
            REQUIRE(decode_exactly(arguments, &sent) == protocol_errc::none);
            for (const char* more : {"0", "00000"})
                REQUIRE(decode_exactly(std::string(arguments) + more, &sent) ==
                        protocol_errc::trailing_bytes);
        }
    });
}

TEST_CASE("wire: a method's frame that is cut anywhere asks for what is missing")
{
    random_values random(7);
    all_methods::for_each([&]<class Method>() {
        CAPTURE(Method::name);
        method_filler filler(random);
        Method sent;
        Method::fields(sent, filler);
        const std::string frame = frame_of(3, sent);
        for (std::size_t n = 0; n < frame.size(); ++n) {
            const exact_bytes cut(std::string_view(frame).substr(0, n));
            const frame_view view = parse_frame(cut.view(), 1U << 20U);
            CHECK(view.size == 0);
            CHECK(view.error == protocol_errc::none);
            CHECK(view.needed == (n < frame_header_size ? frame_header_size : frame.size()));
        }
    });
}

TEST_CASE("wire: a method is found by its ids, and no two have the same")
{
    std::size_t found = 0;
    for (std::uint32_t class_id = 0; class_id < 256; ++class_id) {
        for (std::uint32_t number = 0; number < 256; ++number) {
            const method_number id{static_cast<std::uint16_t>(class_id),
                                   static_cast<std::uint16_t>(number)};
            int calls = 0;
            const bool known = all_methods::visit(id, [&]<class Method>() {
                ++calls;
                CHECK(Method::id == id);
                CHECK(all_methods::name(id) == Method::name);
            });
            CHECK(calls == (known ? 1 : 0));
            CHECK(known == !all_methods::name(id).empty());
            found += known ? 1U : 0U;
        }
    }
    CHECK(found == all_methods::size);

    std::size_t same = 0;
    all_methods::for_each([&]<class A>() {
        all_methods::for_each([&]<class B>() { same += A::id == B::id || A::name == B::name ? 1U : 0U; });
    });
    CHECK(same == all_methods::size);
}

TEST_CASE("wire: a text of more than 255 bytes does not fit into a method")
{
    const std::string longest(255, 'x');
    const std::string longer(256, 'x');
    basic::publish m;
    m.exchange = longest;
    m.routing_key = longest;
    CHECK(fits(m));
    m.routing_key = longer;
    CHECK_FALSE(fits(m));
    std::string memory(frame_size(m), '?');
    writer out(memory.data(), memory.size());
    encode_frame(out, 1, m);
    CHECK_FALSE(out.ok());

    connection::secure secure; // not so a long text
    secure.challenge = std::string_view(longer);
    CHECK(fits(secure));
}
