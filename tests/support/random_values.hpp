// Values of every kind that AMQP can carry, the same ones for the same seed.
#pragma once

#include <leveret/core/properties.hpp>
#include <leveret/core/table.hpp>
#include <leveret/wire/types.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <random>
#include <string>
#include <string_view>
#include <utility>

namespace leveret::test {

class random_values {
public:
    explicit random_values(std::uint64_t seed) : engine_(seed) {}

    std::uint64_t bits() { return engine_(); }
    /// 0 to n - 1. Not std::uniform_int_distribution, which differs between libraries.
    std::uint64_t below(std::uint64_t n) { return engine_() % n; }
    std::size_t size_below(std::size_t n) { return static_cast<std::size_t>(below(n)); }
    bool one_in(std::uint64_t n) { return below(n) == 0; }

    /// A number of any size, often at an edge.
    template <class T>
    T integer()
    {
        if (one_in(4))
            return std::numeric_limits<T>::max();
        if (one_in(4))
            return std::numeric_limits<T>::min();
        return static_cast<T>(static_cast<std::make_unsigned_t<T>>(bits() >> below(64)));
    }
    /// Up to `most` bytes of any kind: AMQP's texts need not be UTF-8.
    std::string text(std::size_t most)
    {
        std::string out(one_in(8) ? most : size_below(most < 12 ? most + 1 : 12), '\0');
        for (char& c : out)
            c = static_cast<char>(static_cast<unsigned char>(bits()));
        return out;
    }

    field_value value(unsigned depth)
    {
        switch (below(depth == 0 ? 15 : 17)) {
        case 0: return {};
        case 1: return one_in(2);
        case 2: return integer<std::int8_t>();
        case 3: return integer<std::uint8_t>();
        case 4: return integer<std::int16_t>();
        case 5: return integer<std::uint16_t>();
        case 6: return integer<std::int32_t>();
        case 7: return integer<std::uint32_t>();
        case 8: return integer<std::int64_t>();
        case 9: return std::bit_cast<float>(static_cast<std::uint32_t>(bits()));
        case 10: return std::bit_cast<double>(bits());
        case 11: return decimal{integer<std::uint8_t>(), integer<std::int32_t>()};
        case 12: return timestamp{integer<std::uint64_t>()};
        case 13: return text(300);
        case 14: return byte_array(text(300));
        case 15: return array(depth - 1);
        default: return table_of(depth - 1);
        }
    }
    field_array array(unsigned depth)
    {
        field_array out;
        for (std::uint64_t n = below(5); n > 0; --n)
            out.push_back(value(depth));
        return out;
    }
    table table_of(unsigned depth)
    {
        table out;
        for (std::uint64_t n = below(6); n > 0; --n)
            out.append(text(255), value(depth));
        return out;
    }
    leveret::properties properties_of(std::uint16_t flags)
    {
        leveret::properties p;
        const auto wanted = [flags](property which) {
            return (flags & static_cast<std::uint16_t>(which)) != 0;
        };
        if (wanted(property::content_type))
            p.content_type(text(255));
        if (wanted(property::content_encoding))
            p.content_encoding(text(255));
        if (wanted(property::headers))
            p.headers(table_of(2));
        if (wanted(property::delivery_mode))
            p.delivery_mode(integer<std::uint8_t>());
        if (wanted(property::priority))
            p.priority(integer<std::uint8_t>());
        if (wanted(property::correlation_id))
            p.correlation_id(text(255));
        if (wanted(property::reply_to))
            p.reply_to(text(255));
        if (wanted(property::expiration))
            p.expiration(text(255));
        if (wanted(property::message_id))
            p.message_id(text(255));
        if (wanted(property::timestamp))
            p.timestamp({integer<std::uint64_t>()});
        if (wanted(property::type))
            p.type(text(255));
        if (wanted(property::user_id))
            p.user_id(text(255));
        if (wanted(property::app_id))
            p.app_id(text(255));
        if (wanted(property::cluster_id))
            p.cluster_id(text(255));
        return p;
    }

private:
    std::mt19937_64 engine_;
};

/// Fills the fields of a method. Its texts are views: they live as long as this does.
class method_filler {
public:
    explicit method_filler(random_values& random) : random_(random) {}

    void operator()(std::string_view, std::uint8_t& v) { v = random_.integer<std::uint8_t>(); }
    void operator()(std::string_view, std::uint16_t& v) { v = random_.integer<std::uint16_t>(); }
    void operator()(std::string_view, std::uint32_t& v) { v = random_.integer<std::uint32_t>(); }
    void operator()(std::string_view, std::uint64_t& v) { v = random_.integer<std::uint64_t>(); }
    void operator()(std::string_view, bool& v) { v = random_.one_in(2); }
    void operator()(std::string_view, std::string_view& v) { v = keep(random_.text(255)); }
    void operator()(std::string_view, wire::long_string& v) { v.text = keep(random_.text(700)); }
    void operator()(std::string_view, wire::table_view& v) { v.encoded = keep(random_.text(700)); }

private:
    std::string_view keep(std::string text) { return texts_.emplace_back(std::move(text)); }

    random_values& random_;
    std::deque<std::string> texts_;
};

} // namespace leveret::test
