#pragma once

#include "leveret/core/assert.hpp"
#include "leveret/core/reply_code.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace leveret::broker {

/// Why the broker refused an operation: what a server would say in channel.close or connection.close.
struct error {
    reply_code code = reply_code::internal_error;
    /// As RabbitMQ 3.10 words it, such as `NOT_FOUND - no queue 'q' in vhost '/'`.
    std::string text;
    /// Whether it ends the connection and not just the channel. The broker leaves ending it, by destroying
    /// the session or the channel, to the front end; nothing else may be asked of it before.
    bool ends_connection = false;
};

/// The outcome of an operation without values: fine, or an error. One pointer, for most are fine.
class [[nodiscard]] status {
public:
    status() noexcept = default;
    status(broker::error e) // NOLINT: implicit on purpose
        : error_(std::make_unique<broker::error>(std::move(e)))
    {
    }

    [[nodiscard]] bool is_ok() const noexcept { return error_ == nullptr; }
    explicit operator bool() const noexcept { return is_ok(); }
    /// Needs an outcome that is not ok.
    [[nodiscard]] const broker::error& error() const noexcept
    {
        LEVERET_ASSERT(error_ != nullptr);
        return *error_;
    }

private:
    std::unique_ptr<broker::error> error_;
};

/// The outcome of an operation with values.
template <class T>
class [[nodiscard]] result : public status {
public:
    result(T value) : value_(std::move(value)) {}     // NOLINT: implicit on purpose
    result(broker::error e) : status(std::move(e)) {} // NOLINT
    result(status failed) : status(std::move(failed)) { LEVERET_ASSERT(!is_ok()); } // NOLINT

    /// Needs an outcome that is ok.
    [[nodiscard]] T& operator*() noexcept
    {
        LEVERET_ASSERT(is_ok());
        return value_;
    }
    [[nodiscard]] const T& operator*() const noexcept
    {
        LEVERET_ASSERT(is_ok());
        return value_;
    }
    [[nodiscard]] T* operator->() noexcept { return &**this; }
    [[nodiscard]] const T* operator->() const noexcept { return &**this; }

private:
    T value_{};
};

namespace detail {
[[nodiscard]] inline error failure(reply_code code, std::string_view text)
{
    std::string whole(name(code));
    whole += " - ";
    whole += text;
    return {code, std::move(whole), is_hard(code)};
}
[[nodiscard]] inline error precondition_failed(std::string_view text)
{
    return failure(reply_code::precondition_failed, text);
}
} // namespace detail

} // namespace leveret::broker
