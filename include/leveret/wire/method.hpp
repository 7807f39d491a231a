#pragma once

#include "leveret/core/errc.hpp"
#include "leveret/wire/basic_methods.hpp"
#include "leveret/wire/channel_methods.hpp"
#include "leveret/wire/connection_methods.hpp"
#include "leveret/wire/exchange_methods.hpp"
#include "leveret/wire/queue_methods.hpp"
#include "leveret/wire/reader.hpp"
#include "leveret/wire/tx_methods.hpp"
#include "leveret/wire/writer.hpp"

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace leveret::wire {

namespace detail {

struct size_visitor {
    std::size_t size = 0;
    unsigned bits = 0;
    constexpr void add(std::size_t n) noexcept
    {
        size += n;
        bits = 0;
    }
    constexpr void operator()(std::string_view, const std::uint8_t&) noexcept { add(1); }
    constexpr void operator()(std::string_view, const std::uint16_t&) noexcept { add(2); }
    constexpr void operator()(std::string_view, const std::uint32_t&) noexcept { add(4); }
    constexpr void operator()(std::string_view, const std::uint64_t&) noexcept { add(8); }
    constexpr void operator()(std::string_view, const std::string_view& v) noexcept
    {
        add(1 + v.size());
    }
    constexpr void operator()(std::string_view, const long_string& v) noexcept
    {
        add(4 + v.text.size());
    }
    constexpr void operator()(std::string_view, const table_view& v) noexcept
    {
        add(4 + v.encoded.size());
    }
    constexpr void operator()(std::string_view, const bool&) noexcept
    {
        if (bits++ % 8 == 0)
            ++size;
    }
};

struct write_visitor {
    writer& out;
    constexpr void operator()(std::string_view, const auto& v) noexcept { out.put(v); }
};

struct read_visitor {
    reader& in;
    constexpr void operator()(std::string_view, auto& v) noexcept { in.take(v); }
};

struct fits_visitor {
    bool fits = true;
    constexpr void operator()(std::string_view, const std::string_view& v) noexcept
    {
        fits = fits && v.size() <= short_string_max;
    }
    constexpr void operator()(std::string_view, const auto&) noexcept {}
};

} // namespace detail

/// A list of methods for compile-time iteration.
template <class... Methods>
struct method_list {
    static constexpr std::size_t size = sizeof...(Methods);

    /// Calls `f.template operator()<Method>()` for the method with this id; false if there is none.
    template <class F>
    static constexpr bool visit(method_number id, F&& f)
    {
        return ((Methods::id == id ? (f.template operator()<Methods>(), true) : false) || ...);
    }
    /// Calls `f.template operator()<Method>()` for every method.
    template <class F>
    static constexpr void for_each(F&& f)
    {
        (f.template operator()<Methods>(), ...);
    }
    /// The method's name such as `basic.publish`, or empty if the list does not have it.
    [[nodiscard]] static constexpr std::string_view name(method_number id) noexcept
    {
        std::string_view found;
        static_cast<void>(((Methods::id == id ? (found = Methods::name, true) : false) || ...));
        return found;
    }
};

/// Every method of AMQP 0-9-1 with RabbitMQ's extensions, both directions.
using all_methods = method_list<
    connection::start, connection::start_ok, connection::secure, connection::secure_ok,
    connection::tune, connection::tune_ok, connection::open, connection::open_ok, connection::close,
    connection::close_ok, connection::blocked, connection::unblocked, connection::update_secret,
    connection::update_secret_ok, channel::open, channel::open_ok, channel::flow, channel::flow_ok,
    channel::close, channel::close_ok, access::request, access::request_ok, exchange::declare,
    exchange::declare_ok, exchange::delete_, exchange::delete_ok, exchange::bind, exchange::bind_ok,
    exchange::unbind, exchange::unbind_ok, queue::declare, queue::declare_ok, queue::bind,
    queue::bind_ok, queue::purge, queue::purge_ok, queue::delete_, queue::delete_ok, queue::unbind,
    queue::unbind_ok, basic::qos, basic::qos_ok, basic::consume, basic::consume_ok, basic::cancel,
    basic::cancel_ok, basic::publish, basic::return_, basic::deliver, basic::get, basic::get_ok,
    basic::get_empty, basic::ack, basic::reject, basic::recover_async, basic::recover,
    basic::recover_ok, basic::nack, tx::select, tx::select_ok, tx::commit, tx::commit_ok,
    tx::rollback, tx::rollback_ok, confirm::select, confirm::select_ok>;

template <class Method>
concept method = requires {
    { Method::id } -> std::same_as<const method_number&>;
    { Method::name } -> std::same_as<const std::string_view&>;
};

template <class Method>
inline constexpr bool has_content = requires { Method::has_content; };

/// Bytes of the method's ids and arguments: the payload of its frame.
template <method Method>
[[nodiscard]] constexpr std::size_t encoded_size(const Method& m) noexcept
{
    detail::size_visitor visitor;
    Method::fields(m, visitor);
    return 4 + visitor.size;
}

/// Writes ids and arguments.
template <method Method>
constexpr void encode(writer& out, const Method& m) noexcept
{
    out.u16(Method::id.class_id);
    out.u16(Method::id.method);
    detail::write_visitor visitor{out};
    Method::fields(m, visitor);
}

/// Reads arguments (the ids are read already). Texts and tables of the result are views into the
/// input. Everything must be consumed: see `in.error()`.
template <method Method>
[[nodiscard]] constexpr Method decode(reader& in) noexcept
{
    Method m;
    detail::read_visitor visitor{in};
    Method::fields(m, visitor);
    if (in.ok() && in.remaining() != 0)
        in.fail(protocol_errc::trailing_bytes);
    return m;
}

/// Bytes of the whole frame of a method.
template <method Method>
[[nodiscard]] constexpr std::size_t frame_size(const Method& m) noexcept
{
    return frame_overhead + encoded_size(m);
}

/// Writes the method's frame: header, ids, arguments, end.
template <method Method>
constexpr void encode_frame(writer& out, std::uint16_t channel, const Method& m) noexcept
{
    out.u8(static_cast<std::uint8_t>(frame_type::method));
    out.u16(channel);
    out.u32(static_cast<std::uint32_t>(encoded_size(m)));
    encode(out, m);
    out.u8(frame_end);
}

/// Whether every short text of the method fits into its 255 bytes.
template <method Method>
[[nodiscard]] constexpr bool fits(const Method& m) noexcept
{
    detail::fits_visitor visitor;
    Method::fields(m, visitor);
    return visitor.fits;
}

} // namespace leveret::wire
