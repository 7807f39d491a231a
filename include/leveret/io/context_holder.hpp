#pragma once

#include "leveret/core/local_ptr.hpp"

#include <utility>

namespace leveret::io {

/// Holds its owner in a handler. A handler that is destroyed without having run tells that the execution context
/// is going away, and with it everything that waits there: then `owner.abandoned()` is called.
template <class Owner>
class context_holder {
public:
    explicit context_holder(Owner* o) noexcept : owner_(o) {}
    context_holder(context_holder&&) noexcept = default;
    context_holder(const context_holder&) = delete;
    context_holder& operator=(const context_holder&) = delete;
    context_holder& operator=(context_holder&&) = delete;
    ~context_holder()
    {
        if (owner_)
            owner_->abandoned();
    }
    /// The handler runs.
    [[nodiscard]] local_ptr<Owner> take() noexcept { return std::move(owner_); }

private:
    local_ptr<Owner> owner_;
};

} // namespace leveret::io
