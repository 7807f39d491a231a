#pragma once

#include "leveret/core/error.hpp"
#include "leveret/core/escape.hpp"
#include "leveret/rpc/failure.hpp"

#include <string>
#include <string_view>
#include <utility>

namespace leveret::rpc {

/// A call's deadline passed, or its server stopped saying that it is at work. The server may have done it or not.
class timeout : public timeout_error {
public:
    using timeout_error::timeout_error;
};

/// A call reached no queue: no server of its target is there. Nothing was done.
class no_server : public error {
public:
    using error::error;
};

/// The called side answered with an error. `what()` has the type and the message, escaped.
class remote_error : public error {
public:
    explicit remote_error(rpc::failure f)
        : error(make_error_code(errc::remote_failure), sentence(f)), failure_(std::move(f))
    {
    }

    /// The name of the exception there, as it was sent: `ValueError`.
    [[nodiscard]] const std::string& type() const noexcept { return failure_.type(); }
    /// The module or namespace of it, if the other side has such: `builtins`.
    [[nodiscard]] const std::string& module() const noexcept { return failure_.module(); }
    [[nodiscard]] const std::string& message() const noexcept { return failure_.message(); }
    [[nodiscard]] const std::string& trace() const noexcept { return failure_.trace(); }
    [[nodiscard]] const json& data() const noexcept { return failure_.data(); }
    /// Part of the interface, and no fault of the server; only rpc::wire::plain tells.
    [[nodiscard]] bool is_expected() const noexcept { return failure_.is_expected(); }
    [[nodiscard]] const rpc::failure& failure() const noexcept { return failure_; }

private:
    static std::string sentence(const rpc::failure& f)
    {
        return "the called side answered: " + escaped(f.type(), 128) + ": " + escaped(f.message(), 512);
    }

    rpc::failure failure_;
};

/// No endpoint that serves the namespace and the version has the method.
class no_such_method : public remote_error {
public:
    using remote_error::remote_error;
};
/// No endpoint serves the namespace and the version.
class unsupported_version : public remote_error {
public:
    using remote_error::remote_error;
};
/// The arguments are not the method's: it was not run. Other libraries' servers may not tell it apart.
class invalid_arguments : public remote_error {
public:
    using remote_error::remote_error;
};

/// Throws the exception for what the called side answered.
[[noreturn]] inline void throw_remote(failure f)
{
    switch (f.kind()) {
    case failure_kind::no_such_method: throw no_such_method(std::move(f));
    case failure_kind::unsupported_version: throw unsupported_version(std::move(f));
    case failure_kind::invalid_arguments: throw invalid_arguments(std::move(f));
    case failure_kind::error: break;
    }
    throw remote_error(std::move(f));
}

} // namespace leveret::rpc
