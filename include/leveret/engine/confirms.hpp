#pragma once

#include "leveret/core/publish_result.hpp"
#include "leveret/core/ring_queue.hpp"
#include "leveret/engine/fingerprint.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace leveret::engine {

/// Who wants to know what becomes of a confirmed publish. Called from inside the engine: must not
/// publish or settle from within.
class confirm_listener {
public:
    /// `count` publishes in a row, the first with the listener's number `first`, `bytes` in all, have
    /// this outcome.
    virtual void confirmed(std::uint64_t first, std::size_t count, std::size_t bytes,
                           publish_outcome outcome) noexcept = 0;
    /// One publish was returned and then confirmed.
    virtual void returned(std::uint64_t number, std::size_t bytes, std::uint16_t code,
                          std::string text) noexcept = 0;

protected:
    ~confirm_listener() = default;
};

/// The publishes of a confirm-mode channel that the broker has not confirmed yet, in a ring by their
/// numbers, so that `multiple=true` costs a step for each message and no look-up.
/// Source: RabbitMQ's publisher confirms; numbers start at 1 with confirm.select.
class confirms {
public:
    /// Numbers the next publish of the channel. `listener` may be null; it knows the publish by
    /// `own_number`, and numbers its publishes one after the other. `mark` tells returned messages
    /// apart.
    std::uint64_t published(confirm_listener* listener, std::uint64_t own_number, std::size_t bytes,
                            fingerprint mark)
    {
        entry e;
        e.listener = listener;
        e.is_plain = listener == nullptr;
        e.own_number = own_number;
        e.bytes = static_cast<std::uint32_t>(bytes < 0xffffffffU ? bytes : 0xffffffffU);
        e.mark = mark;
        entries_.push_back(e);
        return base_ + entries_.size() - 1;
    }
    [[nodiscard]] std::size_t outstanding() const noexcept { return entries_.size(); }
    /// The number of the publish before the next.
    [[nodiscard]] std::uint64_t last() const noexcept { return base_ + entries_.size() - 1; }

    /// basic.ack or basic.nack. False if the number was never given or is settled already.
    [[nodiscard]] bool resolve(std::uint64_t number, bool multiple, publish_outcome outcome)
    {
        if (multiple && number == 0) { // specification: all that is outstanding
            number = base_ + entries_.size() - 1;
            if (entries_.empty())
                return true;
        }
        if (number < base_ || number - base_ >= entries_.size())
            return multiple && number < base_ && number != 0;
        if (multiple) {
            resolve_front(static_cast<std::size_t>(number - base_) + 1, outcome);
            return true;
        }
        entry& e = entries_[static_cast<std::size_t>(number - base_)];
        if (e.done)
            return false;
        report(number, e, outcome);
        e.done = true;
        while (!entries_.empty() && entries_.front().done) {
            static_cast<void>(entries_.pop_front());
            ++base_;
        }
        return true;
    }

    /// basic.return: marks the oldest publish that looks like this one. False if there is none, or if it
    /// was published without a listener: then the message is for those who take returns.
    [[nodiscard]] bool returned(fingerprint mark, std::uint16_t code, std::string_view text)
    {
        // Returns come in the order of the publishes, so the search goes on where the last one ended.
        const std::size_t n = entries_.size();
        const std::size_t start =
            hint_ > base_ && hint_ - base_ < n ? static_cast<std::size_t>(hint_ - base_) : 0;
        std::size_t found = n; // of the same key and body, if none has the same properties too
        for (std::size_t step = 0; step < n; ++step) {
            const std::size_t i = start + step < n ? start + step : start + step - n;
            const entry& e = entries_[i];
            if (!e.mark.has_same_message(mark) || e.done || e.is_returned)
                continue;
            if (found == n)
                found = i;
            if (e.mark.has_same_properties(mark)) {
                found = i;
                break;
            }
        }
        if (found == n)
            return false;
        entry& e = entries_[found];
        if (!e.is_plain)
            returns_.push_back(return_note(base_ + found, code, std::string(text)));
        e.is_returned = true;
        hint_ = base_ + found + 1;
        return !e.is_plain;
    }

    /// Calls `f` with the listener's own number of each of its publishes that is not confirmed, in order.
    template <class F>
    void for_each_open(const confirm_listener& listener, F&& f)
    {
        for (std::size_t i = 0; i < entries_.size(); ++i)
            if (entries_[i].listener == &listener && !entries_[i].done)
                f(entries_[i].own_number);
    }
    /// The one who asked is gone: nobody is told about its publishes any more.
    void forget(const confirm_listener& listener) noexcept
    {
        for (std::size_t i = 0; i < entries_.size(); ++i)
            if (entries_[i].listener == &listener)
                entries_[i].listener = nullptr;
    }
    /// The same for a single publish.
    void forget(std::uint64_t number) noexcept
    {
        if (number >= base_ && number - base_ < entries_.size())
            entries_[static_cast<std::size_t>(number - base_)].listener = nullptr;
    }
    void clear() noexcept
    {
        base_ += entries_.size();
        entries_.clear();
        returns_.clear();
    }

private:
    struct entry {
        confirm_listener* listener = nullptr;
        std::uint64_t own_number = 0;
        std::uint32_t bytes = 0;
        fingerprint mark;
        bool done = false;
        bool is_returned = false;
        bool is_plain = false; // never had a listener
    };
    struct return_note {
        return_note() = default;
        return_note(std::uint64_t n, std::uint16_t c, std::string t)
            : number(n), code(c), text(std::move(t))
        {
        }
        std::uint64_t number = 0;
        std::uint16_t code = 0;
        std::string text;
    };

    /// Resolves the first `count` entries, telling each listener of its runs at once.
    void resolve_front(std::size_t count, publish_outcome outcome)
    {
        confirm_listener* listener = nullptr;
        std::uint64_t first = 0;
        std::size_t run = 0;
        std::size_t bytes = 0;
        const auto tell = [&] {
            if (run != 0 && listener != nullptr)
                listener->confirmed(first, run, bytes, outcome);
            run = bytes = 0;
        };
        for (; count > 0; --count, ++base_) {
            const entry e = entries_.pop_front();
            if (e.done || e.is_returned || e.listener != listener || run == 0) {
                tell();
                listener = e.listener;
                first = e.own_number;
            }
            if (e.is_returned && !e.done) {
                report(base_, e, outcome);
            } else if (!e.done) {
                ++run;
                bytes += e.bytes;
            }
        }
        tell();
    }
    void report(std::uint64_t number, const entry& e, publish_outcome outcome)
    {
        return_note note;
        if (e.is_returned)
            note = take_note(number);
        if (e.listener == nullptr)
            return;
        if (e.is_returned && outcome == publish_outcome::confirmed)
            e.listener->returned(e.own_number, e.bytes, note.code, std::move(note.text));
        else
            e.listener->confirmed(e.own_number, 1, e.bytes, outcome);
    }
    [[nodiscard]] return_note take_note(std::uint64_t number)
    {
        while (!returns_.empty() && returns_.front().number == 0)
            static_cast<void>(returns_.pop_front());
        for (std::size_t i = 0; i < returns_.size(); ++i) {
            if (returns_[i].number == number) {
                return_note note = std::move(returns_[i]);
                if (i == 0) // nearly always: confirmations come in the order of the returns
                    static_cast<void>(returns_.pop_front());
                else
                    returns_[i].number = 0;
                return note;
            }
        }
        return {};
    }

    ring_queue<entry> entries_;
    ring_queue<return_note> returns_; // few: unroutable and not yet confirmed
    std::uint64_t base_ = 1;
    std::uint64_t hint_ = 1; // after the publish that was returned last
};

} // namespace leveret::engine
