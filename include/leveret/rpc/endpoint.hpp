#pragma once

#include "leveret/core/detail/signature.hpp"
#include "leveret/core/error.hpp"
#include "leveret/core/escape.hpp"
#include "leveret/core/fixed_string.hpp"
#include "leveret/rpc/arguments.hpp"
#include "leveret/rpc/detail/handler.hpp"
#include "leveret/rpc/target.hpp"
#include "leveret/rpc/version.hpp"

#include <concepts>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace leveret::rpc {

/// Methods under one namespace and version. A method can be called if it was added, and only then.
///
///     lv::rpc::endpoint control{{.name_space = "control", .version = "2.0"}};
///     control.add("ping", [] { return "pong"; });
///     node.add(std::move(control));
///
/// A handler is a function, a lambda or a member function of an object. It may take `const lv::rpc::request&` first;
/// its other parameters are the arguments, read from JSON and checked before it runs; a std::optional may be absent; the
/// last may be lv::rpc::keywords. It returns what JSON is made of, or nothing, or an asio::awaitable of it. What it throws
/// is told to the caller: see rpc::failure.
class endpoint {
public:
    endpoint() : endpoint(target_options{}) {}
    /// Of the target the namespace and the version. Throws usage_error if the version is none.
    explicit endpoint(const target_options& t) : name_space_(t.name_space)
    {
        const auto v = rpc::version::parse(t.version);
        if (!v)
            throw_invalid_argument("rpc: '" + escaped(t.version, 64) + "' is no version; it is written as 1.0");
        version_ = *v;
    }

    /// Adds a method whose arguments have these names: `add<"a", "b">("add", f)`. Without names it takes them by
    /// position. Throws usage_error if the endpoint has the method.
    template <fixed_string... Names, class F>
    requires(!std::is_member_function_pointer_v<std::decay_t<F>>)
    endpoint& add(std::string_view method, F handler)
    {
        using signature = typename leveret::detail::signature_of<F>::type;
        static_assert(!std::is_void_v<signature>, "leveret: a handler has one signature: it is no template and has no "
                                                  "overloads");
        put(method, std::make_unique<detail::handler_of<F, signature, Names...>>(std::move(handler)));
        return *this;
    }
    /// A member function of an object that outlives the server.
    template <fixed_string... Names, class Member, class Object>
    requires std::is_member_function_pointer_v<Member>
    endpoint& add(std::string_view method, Member member, Object& object)
    {
        using signature = typename leveret::detail::signature_of<Member>::type;
        auto bound = std::bind_front(member, std::ref(object));
        put(method, std::make_unique<detail::handler_of<decltype(bound), signature, Names...>>(std::move(bound)));
        return *this;
    }
    /// A method of a shared interface: `add<calc::add>(f)`. A handler that can't serve it does not compile.
    template <described_method M, class F>
    endpoint& add(F handler)
    {
        using wrapper = typename M::template handler<F>;
        put_named<wrapper, typename M::template signature<F>>(M::name, wrapper(std::move(handler)),
                                                              typename M::parameter_names());
        return *this;
    }

    [[nodiscard]] const std::string& name_space() const noexcept { return name_space_; }
    [[nodiscard]] const rpc::version& version() const noexcept { return version_; }

    /// The handler of a method, or nullptr.
    [[nodiscard]] detail::handler* find(std::string_view method) const noexcept
    {
        const auto at = methods_.find(method);
        return at == methods_.end() ? nullptr : at->second.get();
    }
    /// The name of a method that takes its arguments by position alone; empty if there is none.
    [[nodiscard]] std::string_view method_by_position() const noexcept
    {
        for (const auto& [name, h] : methods_)
            if (h->needs_positions())
                return name;
        return {};
    }

private:
    template <class F, class Signature, fixed_string... Names>
    void put_named(std::string_view method, F f, detail::names<Names...>)
    {
        put(method, std::make_unique<detail::handler_of<F, Signature, Names...>>(std::move(f)));
    }
    void put(std::string_view method, std::unique_ptr<detail::handler> h)
    {
        if (!methods_.emplace(std::string(method), std::move(h)).second)
            throw_invalid_argument("rpc: the endpoint has a method '" + escaped(method, 64) + "'");
    }

    std::map<std::string, std::unique_ptr<detail::handler>, std::less<>> methods_;
    std::string name_space_;
    rpc::version version_;
};

} // namespace leveret::rpc
