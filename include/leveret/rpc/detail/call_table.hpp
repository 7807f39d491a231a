#pragma once

#include "leveret/rpc/detail/pending_call.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

namespace leveret::rpc::detail {

/// The calls in flight by their numbers, which are given one after the other: mostly each has a slot that no other needs.
class call_table {
public:
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    /// Throws std::bad_alloc. No other call has this number.
    void insert(pending_call& call)
    {
        if (size_ >= slots_.size() / 2)
            grow();
        if (pending_call*& slot = slot_of(call.number); slot == nullptr)
            slot = &call;
        else
            others_.emplace(call.number, &call); // the one there has been under way while many came and went
        ++size_;
    }
    void erase(const pending_call& call) noexcept
    {
        if (pending_call*& slot = slot_of(call.number); slot == &call)
            slot = nullptr;
        else
            others_.erase(call.number);
        --size_;
    }
    [[nodiscard]] pending_call* find(std::uint64_t number) const noexcept
    {
        if (size_ == 0)
            return nullptr;
        if (pending_call* const call = slots_[number & (slots_.size() - 1)]; call != nullptr && call->number == number)
            return call;
        const auto at = others_.find(number);
        return at == others_.end() ? nullptr : at->second;
    }
    /// `f` does not change the table.
    template <class F>
    void for_each(F f) const
    {
        for (pending_call* const call : slots_)
            if (call != nullptr)
                f(*call);
        for (const auto& [number, call] : others_)
            f(*call);
    }

private:
    [[nodiscard]] pending_call*& slot_of(std::uint64_t number) noexcept { return slots_[number & (slots_.size() - 1)]; }
    void grow()
    {
        constexpr std::size_t least = 16;
        std::vector<pending_call*> larger(slots_.empty() ? least : 2 * slots_.size());
        for (pending_call* const call : slots_)
            if (call != nullptr)
                larger[call->number & (larger.size() - 1)] = call; // alone there, as it was here
        slots_.swap(larger);
    }

    std::vector<pending_call*> slots_; // a power of two, of which half is free
    std::map<std::uint64_t, pending_call*> others_;
    std::size_t size_ = 0;
};

} // namespace leveret::rpc::detail
