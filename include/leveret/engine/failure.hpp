#pragma once

#include "leveret/core/errc.hpp"
#include "leveret/core/error.hpp"
#include "leveret/core/escape.hpp"
#include "leveret/wire/method.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace leveret::engine {

/// Why a connection or a channel ended, by value: layers with coroutines make exceptions of it.
struct failure {
    failure() = default;

    std::error_code code;         ///< zero while nothing failed
    std::string text;             ///< the peer's words, unescaped, or a sentence of ours
    wire::method_number cause;    ///< the method that the peer complained of, or that was wrong
    std::uint16_t channel = 0;    ///< where it happened; 0 is the connection

    explicit operator bool() const noexcept { return static_cast<bool>(code); }

    [[nodiscard]] static failure of_peer(std::uint16_t code, std::string_view text,
                                         wire::method_number cause, std::uint16_t channel)
    {
        failure f;
        f.code = make_error_code(static_cast<reply_code>(code));
        f.text = text;
        f.cause = cause;
        f.channel = channel;
        return f;
    }
    [[nodiscard]] static failure of_protocol(protocol_errc e, std::string text,
                                             wire::method_number cause = {},
                                             std::uint16_t channel = 0)
    {
        failure f;
        f.code = make_error_code(e);
        f.text = std::move(text);
        f.cause = cause;
        f.channel = channel;
        return f;
    }
    [[nodiscard]] static failure of_library(errc e, std::string text)
    {
        failure f;
        f.code = make_error_code(e);
        f.text = std::move(text);
        return f;
    }
    [[nodiscard]] static failure of_system(std::error_code e, std::string text)
    {
        failure f;
        f.code = e;
        f.text = std::move(text);
        return f;
    }

    /// A sentence for people: the peer's code and words, the method and the channel.
    [[nodiscard]] std::string sentence() const
    {
        std::string s;
        if (code.category() == amqp_category()) {
            // RabbitMQ repeats the code's name in its text: `NOT_FOUND - no queue ...`.
            s = std::to_string(code.value()) + " ";
            const std::string_view code_name = name(static_cast<reply_code>(code.value()));
            if (!text.starts_with(code_name))
                s += std::string(code_name) + (text.empty() ? "" : " - ");
            s += escaped(text);
        } else {
            s = text.empty() ? code.message() : text;
        }
        const std::string_view method = wire::all_methods::name(cause);
        if (!method.empty() || channel != 0) {
            s += " (";
            s += method;
            if (channel != 0)
                s += (method.empty() ? "channel " : " on channel ") + std::to_string(channel);
            s += ")";
        }
        return s;
    }

    /// The same for programs.
    [[nodiscard]] leveret::diagnostics diagnostics(std::string_view operation, fate what) const
    {
        leveret::diagnostics d;
        if (code.category() == amqp_category())
            d.code = static_cast<std::uint16_t>(code.value());
        else if (code.category() == protocol_category())
            d.code = static_cast<std::uint16_t>(
                reply_code_for(static_cast<protocol_errc>(code.value())));
        d.text = text;
        d.class_id = cause.class_id;
        d.method_id = cause.method;
        d.channel = channel;
        d.operation = operation;
        d.operation_fate = what;
        return d;
    }
};

} // namespace leveret::engine
