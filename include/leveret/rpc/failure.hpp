#pragma once

#include "leveret/json/value.hpp"

#include <cstdint>
#include <exception>
#include <string>
#include <utility>

namespace leveret::rpc {

/// What kind of failure a server answers with.
enum class failure_kind : std::uint8_t {
    error,               ///< the method threw
    no_such_method,      ///< no endpoint that serves the namespace and version has the method
    unsupported_version, ///< no endpoint serves the namespace and version
    invalid_arguments,   ///< the arguments are not the method's: it was not run
};

/// A failure on its way to the caller. Handlers throw it to say how it is called there, in any language:
///
///     throw lv::rpc::failure("OutOfStock", "none is left").module("shop.errors").data({{"item", 42}}).expected();
///
/// Other exceptions of theirs arrive with the name of the standard exception that they derive from.
class failure : public std::exception {
public:
    failure() = default;
    failure(std::string type, std::string message) : type_(std::move(type)), message_(std::move(message)) {}
    failure(failure_kind kind, std::string type, std::string message)
        : type_(std::move(type)), message_(std::move(message)), kind_(kind)
    {
    }

    [[nodiscard]] const char* what() const noexcept override { return message_.c_str(); }

    [[nodiscard]] const std::string& type() const noexcept { return type_; }
    [[nodiscard]] const std::string& module() const noexcept { return module_; }
    [[nodiscard]] const std::string& message() const noexcept { return message_; }
    /// Where it was thrown, as the other side tells, in lines; for people.
    [[nodiscard]] const std::string& trace() const noexcept { return trace_; }
    /// What the exception has beside its message: keyword arguments of a Python exception.
    [[nodiscard]] const json& data() const noexcept { return data_; }
    [[nodiscard]] failure_kind kind() const noexcept { return kind_; }
    /// Whether it is part of the interface, and no fault of the server.
    [[nodiscard]] bool is_expected() const noexcept { return expected_; }

    failure& module(std::string v) { return module_ = std::move(v), *this; }
    failure& trace(std::string v) { return trace_ = std::move(v), *this; }
    failure& data(json v) { return data_ = std::move(v), *this; }
    failure& kind(failure_kind v) { return kind_ = v, *this; }
    failure& expected(bool v = true) { return expected_ = v, *this; }

private:
    std::string type_, module_, message_, trace_;
    json data_;
    failure_kind kind_ = failure_kind::error;
    bool expected_ = false;
};

} // namespace leveret::rpc
