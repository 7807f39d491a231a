#include <leveret/wire/byte_order.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

using namespace leveret::wire;

namespace {

template <class T>
constexpr bool comes_back(T v)
{
    std::array<char, sizeof(T)> memory{};
    store_be(memory.data(), v);
    return load_be<T>(memory.data()) == v;
}
static_assert(comes_back(std::uint8_t{0xfe}) && comes_back(std::uint16_t{0xfedc}) &&
              comes_back(0xfedcba98U) && comes_back(std::uint64_t{0xfedcba9876543210}));
constexpr std::string_view octets{"\xfe\xdc\xba\x98\x76\x54\x32\x10", 8};
static_assert(load_be<std::uint8_t>(octets.data()) == 0xfe &&
              load_be<std::uint16_t>(octets.data()) == 0xfedc &&
              load_be<std::uint32_t>(octets.data()) == 0xfedcba98U &&
              load_be<std::uint64_t>(octets.data()) == 0xfedcba9876543210);

} // namespace

TEST_CASE("byte order: highest octet first, at run time as when compiled")
{
    for (std::size_t shift = 0; shift < 8; ++shift) { // at any alignment
        const std::string memory = std::string(shift, 'x') + std::string(octets);
        const char* p = memory.data() + shift;
        CHECK(load_be<std::uint8_t>(p) == 0xfe);
        CHECK(load_be<std::uint16_t>(p) == 0xfedc);
        CHECK(load_be<std::uint32_t>(p) == 0xfedcba98U);
        CHECK(load_be<std::uint64_t>(p) == 0xfedcba9876543210);
        std::string out(shift + 8, '?');
        store_be(out.data() + shift, std::uint64_t{0xfedcba9876543210});
        CHECK(out.substr(shift) == octets);
        store_be(out.data() + shift, std::uint16_t{0x0102});
        CHECK(out.substr(shift) == "\1\2" + std::string(octets.substr(2)));
    }
}

TEST_CASE("byte order: copies and comparisons of every short length stay within their bytes")
{
    for (std::size_t n = 0; n < 100; ++n) {
        // Heap memory of exactly n bytes, so that a sanitizer sees one more.
        const auto from = std::make_unique<char[]>(n);
        const auto to = std::make_unique<char[]>(n);
        for (std::size_t i = 0; i < n; ++i)
            from[i] = static_cast<char>(i + 1);
        CHECK(copy_bytes(to.get(), from.get(), n) == to.get() + n);
        CHECK(std::string_view(to.get(), n) == std::string_view(from.get(), n));
        CHECK(same_bytes(to.get(), from.get(), n));
        for (std::size_t i = 0; i < n; ++i) {
            to[i] = static_cast<char>(to[i] ^ 0x40);
            CHECK_FALSE(same_bytes(to.get(), from.get(), n));
            to[i] = from[i];
        }
        // And write nothing before or behind.
        std::string framed(n + 2, '#');
        static_cast<void>(copy_bytes(framed.data() + 1, from.get(), n));
        CHECK(framed.front() == '#');
        CHECK(framed.back() == '#');
        CHECK(framed.substr(1, n) == std::string_view(from.get(), n));
    }
}
