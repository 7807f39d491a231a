// Bytes in tests, written as people read them.
#pragma once

#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

namespace leveret::test {

/// Pairs of hexadecimal digits and 'texts', with spaces wherever they help: `bytes("0001 05 'PLAIN'")`.
inline std::string bytes(std::string_view notation)
{
    const auto digit = [](char c) -> unsigned {
        if (c >= '0' && c <= '9')
            return static_cast<unsigned>(c - '0');
        if (c >= 'a' && c <= 'f')
            return static_cast<unsigned>(c - 'a') + 10U;
        throw std::invalid_argument("bytes: not a hexadecimal digit");
    };
    std::string out;
    for (std::size_t i = 0; i < notation.size(); ++i) {
        if (notation[i] == ' ')
            continue;
        if (notation[i] == '\'') {
            const std::size_t end = notation.find('\'', i + 1);
            if (end == std::string_view::npos)
                throw std::invalid_argument("bytes: a text does not end");
            out += notation.substr(i + 1, end - i - 1);
            i = end;
            continue;
        }
        if (i + 1 == notation.size())
            throw std::invalid_argument("bytes: half an octet");
        out += static_cast<char>(static_cast<unsigned char>(digit(notation[i]) << 4U |
                                                            digit(notation[i + 1])));
        ++i;
    }
    return out;
}

/// The other way, for messages of failed tests.
inline std::string hex(std::string_view bytes)
{
    constexpr char digits[] = "0123456789abcdef";
    std::string out;
    for (const char c : bytes) {
        const auto octet = static_cast<unsigned char>(c);
        out += digits[octet >> 4U];
        out += digits[octet & 15U];
    }
    return out;
}

/// `n` in `size` octets, highest first.
inline std::string big_endian(unsigned long long n, std::size_t size)
{
    std::string out(size, '\0');
    for (std::size_t i = 0; i < size; ++i)
        out[i] = static_cast<char>(static_cast<unsigned char>(n >> (8U * (size - 1U - i))));
    return out;
}

/// A copy in heap memory of exactly its size, so that a sanitizer sees a read of one byte past the end
/// (a short std::string has more room than it needs).
class exact_bytes {
public:
    explicit exact_bytes(std::string_view bytes)
        : memory_(std::make_unique<char[]>(bytes.size())), size_(bytes.size())
    {
        bytes.copy(memory_.get(), size_);
    }
    [[nodiscard]] std::string_view view() const noexcept { return {memory_.get(), size_}; }

private:
    std::unique_ptr<char[]> memory_;
    std::size_t size_;
};

} // namespace leveret::test
