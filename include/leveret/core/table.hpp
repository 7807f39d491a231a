#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace leveret {

class field_value;

/// Fixed-point number of AMQP field tables (type octet `D`): `value / 10^scale`. RabbitMQ reads the
/// value as signed, as this library does; the text of AMQP 0-9-1 says unsigned.
struct decimal {
    std::uint8_t scale = 0;
    std::int32_t value = 0;
    friend bool operator==(const decimal&, const decimal&) = default;
};

/// Seconds since 1970-01-01 00:00 UTC (type octet `T`).
struct timestamp {
    std::uint64_t seconds = 0;
    friend bool operator==(const timestamp&, const timestamp&) = default;
};

/// Bytes that are not text (type octet `x`, a RabbitMQ extension).
struct byte_array {
    byte_array() = default;
    explicit byte_array(std::string b) : bytes(std::move(b)) {}
    std::string bytes;
    friend bool operator==(const byte_array&, const byte_array&) = default;
};

/// A list of field values (type octet `A`).
using field_array = std::vector<field_value>;

/// AMQP field table: named values in the order in which they were added or received. Names are at most
/// 255 bytes on the wire. Look-up is linear: header tables are short.
class table {
public:
    using value_type = std::pair<std::string, field_value>;
    using const_iterator = std::vector<value_type>::const_iterator;

    table();
    table(std::initializer_list<value_type> entries);
    table(const table&);
    table(table&&) noexcept;
    table& operator=(const table&);
    table& operator=(table&&) noexcept;
    ~table();

    [[nodiscard]] bool empty() const noexcept;
    [[nodiscard]] std::size_t size() const noexcept;
    [[nodiscard]] const_iterator begin() const noexcept;
    [[nodiscard]] const_iterator end() const noexcept;

    /// The first value with this name, or nullptr.
    [[nodiscard]] const field_value* find(std::string_view key) const noexcept;
    [[nodiscard]] bool contains(std::string_view key) const noexcept;
    /// The first value with this name if it is a `T`, or nullptr.
    template <class T>
    [[nodiscard]] const T* find_as(std::string_view key) const noexcept;

    /// Replaces the value with this name or appends it.
    table& set(std::string_view key, field_value value);
    /// Appends without looking for the name: what is received is kept as it came.
    void append(std::string key, field_value value);
    /// Removes every value with this name and tells how many there were.
    std::size_t erase(std::string_view key);

    friend bool operator==(const table&, const table&) noexcept;

private:
    std::vector<value_type> entries_;
};

/// The type octets of field values, as RabbitMQ reads them.
enum class field_type : char {
    none = 'V',
    boolean = 't',
    int8 = 'b',
    uint8 = 'B',
    int16 = 's',
    uint16 = 'u',
    int32 = 'I',
    uint32 = 'i',
    int64 = 'l',
    float32 = 'f',
    float64 = 'd',
    decimal = 'D',
    string = 'S',
    bytes = 'x',
    timestamp = 'T',
    array = 'A',
    table = 'F',
};

/// One value of a field table, with every type that RabbitMQ sends and accepts:
/// V (nothing), t (bool), b and B (8 bits), s and u (16), I and i (32), l (64, signed),
/// f, d, D, S (text), x (bytes), T, A and F. Source: AMQP 0-9-1 errata, section 3, and RabbitMQ.
class field_value {
public:
    field_value() noexcept = default;
    field_value(const field_value&) = default;
    field_value(field_value&&) noexcept = default;
    field_value& operator=(const field_value& o) { return *this = field_value(o); }
    field_value& operator=(field_value&&) noexcept = default;
    ~field_value() = default;
    field_value(bool v) noexcept : type_(field_type::boolean) { scalar_.b = v; }          // NOLINT
    field_value(std::int8_t v) noexcept : type_(field_type::int8) { scalar_.i8 = v; }     // NOLINT
    field_value(std::uint8_t v) noexcept : type_(field_type::uint8) { scalar_.u8 = v; }   // NOLINT
    field_value(std::int16_t v) noexcept : type_(field_type::int16) { scalar_.i16 = v; }  // NOLINT
    field_value(std::uint16_t v) noexcept : type_(field_type::uint16) { scalar_.u16 = v; } // NOLINT
    field_value(std::int32_t v) noexcept : type_(field_type::int32) { scalar_.i32 = v; }  // NOLINT
    field_value(std::uint32_t v) noexcept : type_(field_type::uint32) { scalar_.u32 = v; } // NOLINT
    field_value(long v) noexcept : type_(field_type::int64) { scalar_.i64 = v; }          // NOLINT
    field_value(long long v) noexcept : type_(field_type::int64) { scalar_.i64 = v; }     // NOLINT
    field_value(float v) noexcept : type_(field_type::float32) { scalar_.f = v; }         // NOLINT
    field_value(double v) noexcept : type_(field_type::float64) { scalar_.d = v; }        // NOLINT
    field_value(leveret::decimal v) noexcept : type_(field_type::decimal) { scalar_.dec = v; } // NOLINT
    field_value(leveret::timestamp v) noexcept : type_(field_type::timestamp) { scalar_.t = v; } // NOLINT
    field_value(const char* v) : type_(field_type::string), text_(v) {}                   // NOLINT
    field_value(std::string_view v) : type_(field_type::string), text_(v) {}              // NOLINT
    field_value(std::string v) : type_(field_type::string), text_(std::move(v)) {}        // NOLINT
    field_value(byte_array v) : type_(field_type::bytes), text_(std::move(v.bytes)) {}    // NOLINT
    field_value(field_array v) : type_(field_type::array), items_(std::move(v)) {}        // NOLINT
    field_value(leveret::table v) : type_(field_type::table), fields_(std::move(v)) {}    // NOLINT
    /// RabbitMQ has no unsigned 64-bit type: convert to std::int64_t and see that it fits.
    field_value(unsigned long) = delete;
    field_value(unsigned long long) = delete;
    field_value(const void*) = delete;

    [[nodiscard]] field_type type() const noexcept { return type_; }
    [[nodiscard]] bool is_void() const noexcept { return type_ == field_type::none; }

    /// The value if it has exactly this type, or nullptr. T is bool, one of the integer types,
    /// float, double, decimal, timestamp, std::string (text or bytes), field_array or table.
    template <class T>
    [[nodiscard]] const T* as() const noexcept;

    /// The value as text if it is text or bytes, else empty.
    [[nodiscard]] std::string_view text() const noexcept { return text_; }

    /// Any of the integer types as 64 bits, or `otherwise`.
    [[nodiscard]] std::int64_t integer(std::int64_t otherwise = 0) const noexcept
    {
        switch (type_) {
        case field_type::int8: return scalar_.i8;
        case field_type::uint8: return scalar_.u8;
        case field_type::int16: return scalar_.i16;
        case field_type::uint16: return scalar_.u16;
        case field_type::int32: return scalar_.i32;
        case field_type::uint32: return scalar_.u32;
        case field_type::int64: return scalar_.i64;
        default: return otherwise;
        }
    }

    /// Same type and same value. NaN equals NaN, so that a table equals its copy.
    friend bool operator==(const field_value& a, const field_value& b) noexcept
    {
        return a.type_ == b.type_ && a.equals(b);
    }

private:
    union scalar {
        std::int64_t i64;
        bool b;
        std::int8_t i8;
        std::uint8_t u8;
        std::int16_t i16;
        std::uint16_t u16;
        std::int32_t i32;
        std::uint32_t u32;
        float f;
        double d;
        leveret::decimal dec;
        leveret::timestamp t;
        scalar() noexcept : i64(0) {}
    };

    [[nodiscard]] static bool same_number(double a, double b) noexcept
    {
        return a == b || (a != a && b != b);
    }
    [[nodiscard]] bool equals(const field_value& o) const noexcept
    {
        switch (type_) {
        case field_type::none: return true;
        case field_type::boolean: return scalar_.b == o.scalar_.b;
        case field_type::float32: return same_number(scalar_.f, o.scalar_.f);
        case field_type::float64: return same_number(scalar_.d, o.scalar_.d);
        case field_type::decimal: return scalar_.dec == o.scalar_.dec;
        case field_type::timestamp: return scalar_.t == o.scalar_.t;
        case field_type::string:
        case field_type::bytes: return text_ == o.text_;
        case field_type::array: return items_ == o.items_;
        case field_type::table: return fields_ == o.fields_;
        default: return integer() == o.integer();
        }
    }

    field_type type_ = field_type::none;
    scalar scalar_;
    std::string text_;
    field_array items_;
    leveret::table fields_;
};

template <class T>
const T* field_value::as() const noexcept
{
    const auto when = [this](field_type wanted, const T* value) {
        return type_ == wanted ? value : nullptr;
    };
    if constexpr (std::is_same_v<T, bool>)
        return when(field_type::boolean, &scalar_.b);
    else if constexpr (std::is_same_v<T, std::int8_t>)
        return when(field_type::int8, &scalar_.i8);
    else if constexpr (std::is_same_v<T, std::uint8_t>)
        return when(field_type::uint8, &scalar_.u8);
    else if constexpr (std::is_same_v<T, std::int16_t>)
        return when(field_type::int16, &scalar_.i16);
    else if constexpr (std::is_same_v<T, std::uint16_t>)
        return when(field_type::uint16, &scalar_.u16);
    else if constexpr (std::is_same_v<T, std::int32_t>)
        return when(field_type::int32, &scalar_.i32);
    else if constexpr (std::is_same_v<T, std::uint32_t>)
        return when(field_type::uint32, &scalar_.u32);
    else if constexpr (std::is_same_v<T, std::int64_t>)
        return when(field_type::int64, &scalar_.i64);
    else if constexpr (std::is_same_v<T, float>)
        return when(field_type::float32, &scalar_.f);
    else if constexpr (std::is_same_v<T, double>)
        return when(field_type::float64, &scalar_.d);
    else if constexpr (std::is_same_v<T, leveret::decimal>)
        return when(field_type::decimal, &scalar_.dec);
    else if constexpr (std::is_same_v<T, leveret::timestamp>)
        return when(field_type::timestamp, &scalar_.t);
    else if constexpr (std::is_same_v<T, std::string>)
        return type_ == field_type::string || type_ == field_type::bytes ? &text_ : nullptr;
    else if constexpr (std::is_same_v<T, field_array>)
        return when(field_type::array, &items_);
    else {
        static_assert(std::is_same_v<T, leveret::table>, "no field value has this type");
        return when(field_type::table, &fields_);
    }
}

inline table::table() = default;
inline table::table(std::initializer_list<value_type> entries) : entries_(entries) {}
inline table::table(const table&) = default;
inline table::table(table&&) noexcept = default;
inline table& table::operator=(const table& o)
{
    // By way of a copy: std::vector's own assignment costs users more to compile.
    return *this = table(o);
}
inline table& table::operator=(table&&) noexcept = default;
inline table::~table() = default;

inline bool table::empty() const noexcept { return entries_.empty(); }
inline std::size_t table::size() const noexcept { return entries_.size(); }
inline table::const_iterator table::begin() const noexcept { return entries_.begin(); }
inline table::const_iterator table::end() const noexcept { return entries_.end(); }

inline const field_value* table::find(std::string_view key) const noexcept
{
    for (const value_type& entry : entries_)
        if (entry.first == key)
            return &entry.second;
    return nullptr;
}
inline bool table::contains(std::string_view key) const noexcept { return find(key) != nullptr; }

template <class T>
const T* table::find_as(std::string_view key) const noexcept
{
    const field_value* value = find(key);
    return value == nullptr ? nullptr : value->as<T>();
}

inline table& table::set(std::string_view key, field_value value)
{
    for (value_type& entry : entries_) {
        if (entry.first == key) {
            entry.second = std::move(value);
            return *this;
        }
    }
    entries_.emplace_back(std::string(key), std::move(value));
    return *this;
}
inline void table::append(std::string key, field_value value)
{
    entries_.emplace_back(std::move(key), std::move(value));
}
inline std::size_t table::erase(std::string_view key)
{
    table kept; // and not std::erase_if, which costs users more to compile
    for (value_type& entry : entries_)
        if (entry.first != key)
            kept.append(std::move(entry.first), std::move(entry.second));
    const std::size_t removed = entries_.size() - kept.size();
    *this = std::move(kept);
    return removed;
}
inline bool operator==(const table& a, const table& b) noexcept { return a.entries_ == b.entries_; }

} // namespace leveret
