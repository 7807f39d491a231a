#include "support/bytes.hpp"
#include "support/random_values.hpp"

#include <leveret/wire/frame.hpp>
#include <leveret/wire/method.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

using namespace leveret::wire;
using leveret::protocol_errc;
using leveret::test::exact_bytes;
using leveret::test::hex;
using leveret::test::method_filler;
using leveret::test::random_values;

namespace {

constexpr std::uint32_t frame_max = 1U << 20U;

/// A method without its type, so that the checks are compiled once and not for each of them.
struct any_method {
    std::string_view name;
    method_number id;
    std::string (*random_frame)(random_values&, std::uint16_t channel);
    /// The error of decoding arguments; without one, `again` gets what was decoded, encoded again.
    protocol_errc (*decode)(std::string_view arguments, std::string& again);
};

template <method Method>
any_method erased()
{
    const auto frame = [](random_values& random, std::uint16_t channel) {
        method_filler filler(random);
        Method m;
        Method::fields(m, filler);
        std::string bytes(frame_size(m), '?');
        writer out(bytes.data(), bytes.size());
        encode_frame(out, channel, m);
        return out.ok() && out.size() == bytes.size() && fits(m) ? bytes : std::string();
    };
    const auto decode_and_encode = [](std::string_view arguments, std::string& again) {
        const exact_bytes copy(arguments);
        reader in(copy.view());
        const Method m = decode<Method>(in);
        if (in.ok()) {
            again.assign(encoded_size(m), '?');
            writer out(again.data(), again.size());
            encode(out, m);
            again.erase(0, out.ok() ? 4 : 0);
        }
        return in.remaining() == 0 ? in.error() : protocol_errc::none;
    };
    return {Method::name, Method::id, frame, decode_and_encode};
}

std::vector<any_method> every_method()
{
    std::vector<any_method> all;
    all_methods::for_each([&]<class Method>() { all.push_back(erased<Method>()); });
    REQUIRE(all.size() > 60);
    return all;
}

} // namespace

TEST_CASE("wire: every method with any values comes back, and none that is cut does")
{
    random_values random(20240501);
    for (const any_method& m : every_method()) {
        CAPTURE(m.name);
        for (int round = 0; round < 50; ++round) {
            const auto channel = random.integer<std::uint16_t>();
            const std::string frame = m.random_frame(random, channel);
            CAPTURE(hex(frame));
            REQUIRE(frame.size() >= frame_overhead + 4);

            const frame_view whole = parse_frame(frame, frame_max);
            REQUIRE(whole.size == frame.size());
            REQUIRE(whole.error == protocol_errc::none);
            REQUIRE(whole.type == frame_type::method);
            REQUIRE(whole.channel == channel);
            reader in(whole.payload);
            REQUIRE(in.u32() == m.id.value());

            const std::string_view arguments = whole.payload.substr(4);
            std::string again;
            for (std::size_t n = 0; n < arguments.size(); ++n)
                REQUIRE(m.decode(arguments.substr(0, n), again) == protocol_errc::malformed_arguments);
            REQUIRE(m.decode(arguments, again) == protocol_errc::none);
            REQUIRE(again == arguments);
            for (const char* more : {"0", "00000"})
                REQUIRE(m.decode(std::string(arguments) + more, again) == protocol_errc::trailing_bytes);
        }
    }
}

TEST_CASE("wire: a method's frame that is cut anywhere asks for what is missing")
{
    random_values random(7);
    for (const any_method& m : every_method()) {
        CAPTURE(m.name);
        const std::string frame = m.random_frame(random, 3);
        for (std::size_t n = 0; n < frame.size(); ++n) {
            const exact_bytes cut(std::string_view(frame).substr(0, n));
            const frame_view view = parse_frame(cut.view(), frame_max);
            CHECK(view.size == 0);
            CHECK(view.error == protocol_errc::none);
            CHECK(view.needed == (n < frame_header_size ? frame_header_size : frame.size()));
        }
    }
}

TEST_CASE("wire: a method is found by its ids, and no two have the same")
{
    std::set<std::uint32_t> ids;
    std::set<std::string_view> names;
    for (const any_method& m : every_method()) {
        ids.insert(m.id.value());
        names.insert(m.name);
        CHECK(all_methods::name(m.id) == m.name);
    }
    CHECK(ids.size() == all_methods::size);
    CHECK(names.size() == all_methods::size);
    for (std::uint32_t value = 0; value < 256 * 256; ++value) {
        const method_number id{static_cast<std::uint16_t>(value / 256),
                               static_cast<std::uint16_t>(value % 256)};
        method_number found;
        int calls = 0;
        const bool is_known = all_methods::visit(id, [&]<class Method>() {
            found = Method::id;
            ++calls;
        });
        REQUIRE(is_known == ids.contains(id.value()));
        REQUIRE(calls == (is_known ? 1 : 0));
        REQUIRE(all_methods::name(id).empty() == !is_known);
        if (is_known)
            CHECK(found == id);
    }
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
