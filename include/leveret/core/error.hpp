#pragma once

#include "leveret/core/errc.hpp"
#include "leveret/core/reply_code.hpp"

#include <cstdint>
#include <string>
#include <system_error>
#include <utility>

namespace leveret {

namespace detail {

class reply_category final : public std::error_category {
public:
    [[nodiscard]] const char* name() const noexcept override { return "amqp"; }
    [[nodiscard]] std::string message(int value) const override
    {
        return std::to_string(value) + " " +
               std::string(leveret::name(static_cast<reply_code>(value)));
    }
};

class protocol_category final : public std::error_category {
public:
    [[nodiscard]] const char* name() const noexcept override { return "amqp.protocol"; }
    [[nodiscard]] std::string message(int value) const override
    {
        return std::string(describe(static_cast<protocol_errc>(value)));
    }
};

class library_category final : public std::error_category {
public:
    [[nodiscard]] const char* name() const noexcept override { return "leveret"; }
    [[nodiscard]] std::string message(int value) const override
    {
        return std::string(describe(static_cast<errc>(value)));
    }
};

template <class Category>
[[nodiscard]] const std::error_category& category_instance() noexcept
{
    static const Category instance;
    return instance;
}

} // namespace detail

/// Category of AMQP reply codes as a peer sent them.
[[nodiscard]] inline const std::error_category& amqp_category() noexcept
{
    return detail::category_instance<detail::reply_category>();
}
/// Category of protocol violations found in what a peer sent.
[[nodiscard]] inline const std::error_category& protocol_category() noexcept
{
    return detail::category_instance<detail::protocol_category>();
}
/// Category of this library's own errors.
[[nodiscard]] inline const std::error_category& library_category() noexcept
{
    return detail::category_instance<detail::library_category>();
}

[[nodiscard]] inline std::error_code make_error_code(reply_code e) noexcept
{
    return {static_cast<int>(e), amqp_category()};
}
[[nodiscard]] inline std::error_code make_error_code(protocol_errc e) noexcept
{
    return {static_cast<int>(e), protocol_category()};
}
[[nodiscard]] inline std::error_code make_error_code(errc e) noexcept
{
    return {static_cast<int>(e), library_category()};
}

/// What is known about an operation that failed.
enum class fate : std::uint8_t {
    unknown,    ///< it was sent, or may have been: the broker may have done it or not
    never_sent, ///< no byte of it left this process
    refused,    ///< the broker answered that it did not do it
};

/// The circumstances of a failure, for programs. `what()` has the same for people.
struct diagnostics {
    diagnostics() = default;

    std::uint16_t code = 0;       ///< the reply code that the peer sent or was sent, or 0
    std::string text;             ///< the peer's own words, unescaped: escape them to print them
    std::uint16_t class_id = 0;   ///< class of the method that caused it, or 0
    std::uint16_t method_id = 0;  ///< method that caused it, or 0
    std::uint16_t channel = 0;    ///< number of the channel, 0 for the connection
    std::string operation;        ///< the operation that failed, such as `basic.consume`, or empty
    fate operation_fate = fate::unknown;
};

/// Base of every exception of this library. `code()` tells the origin by its category: `amqp_category`
/// (what a peer said), `protocol_category` (what a peer did wrong), `library_category`, or Asio's and
/// the system's for resolver and sockets. `what()` is a sentence a person can act on and never holds
/// credentials; text from a peer is escaped in it.
class error : public std::system_error {
public:
    error(std::error_code code, std::string what, leveret::diagnostics details = {})
        : std::system_error(code), what_(std::move(what)), details_(std::move(details))
    {
    }

    [[nodiscard]] const char* what() const noexcept override { return what_.c_str(); }
    [[nodiscard]] const leveret::diagnostics& diagnostics() const noexcept { return details_; }

private:
    std::string what_;
    leveret::diagnostics details_;
};

/// The connection ended, or could not be opened; every operation on it fails with this.
class connection_error : public error {
public:
    using error::error;
};

/// The channel ended; its connection and other channels go on.
class channel_error : public error {
public:
    using error::error;
};

/// The broker cancelled a consumer, for instance because its queue was deleted
/// (RabbitMQ extension: consumer cancel notification).
class consumer_cancelled : public error {
public:
    using error::error;
};

/// A deadline passed. The object it was called on stays usable.
class timeout_error : public error {
public:
    using error::error;
};

/// An argument or a call that can't be right; nothing was sent.
class usage_error : public error {
public:
    using error::error;
};

/// The operation was cancelled through Asio's cancellation; `code()` equals
/// asio::error::operation_aborted (the transport passes it in: this layer does not know Asio).
class operation_cancelled : public error {
public:
    using error::error;
};

/// Throws usage_error(errc::invalid_argument).
[[noreturn]] inline void throw_invalid_argument(std::string what)
{
    diagnostics d;
    d.operation_fate = fate::never_sent;
    throw usage_error(make_error_code(errc::invalid_argument), std::move(what), std::move(d));
}

} // namespace leveret

template <>
struct std::is_error_code_enum<leveret::reply_code> : std::true_type {};
template <>
struct std::is_error_code_enum<leveret::protocol_errc> : std::true_type {};
template <>
struct std::is_error_code_enum<leveret::errc> : std::true_type {};
