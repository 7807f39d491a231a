// What functions take and return, for those who take handlers.
#pragma once

#include <cstddef>

namespace leveret::detail {

template <class R, class... A>
struct handler_signature {
    using result = R;
    static constexpr std::size_t arity = sizeof...(A);
    template <template <class...> class To>
    using parameters = To<A...>;
};

// What a handler takes and returns; void where nobody can tell, since it is a template or has overloads.
template <class F>
struct signature_of_function {
    using type = void;
};
template <class R, class... A, bool N>
struct signature_of_function<R (*)(A...) noexcept(N)> {
    using type = handler_signature<R, A...>;
};
template <class R, class C, class... A, bool N>
struct signature_of_function<R (C::*)(A...) noexcept(N)> {
    using type = handler_signature<R, A...>;
};
template <class R, class C, class... A, bool N>
struct signature_of_function<R (C::*)(A...) const noexcept(N)> {
    using type = handler_signature<R, A...>;
};
template <class R, class C, class... A, bool N>
struct signature_of_function<R (C::*)(A...)& noexcept(N)> {
    using type = handler_signature<R, A...>;
};
template <class R, class C, class... A, bool N>
struct signature_of_function<R (C::*)(A...) const& noexcept(N)> {
    using type = handler_signature<R, A...>;
};

template <class F>
struct signature_of : signature_of_function<F> {
};
template <class F>
requires requires { &F::operator(); }
struct signature_of<F> : signature_of_function<decltype(&F::operator())> {};

} // namespace leveret::detail
