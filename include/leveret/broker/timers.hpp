#pragma once

#include "leveret/core/assert.hpp"
#include "leveret/core/duration.hpp"
#include "leveret/core/pod_vector.hpp"

#include <cstddef>

namespace leveret::broker {

/// Something that is to happen at a time. It must be disarmed before it goes.
class timer {
public:
    timer() noexcept = default;
    timer(const timer&) = delete;
    timer& operator=(const timer&) = delete;

    [[nodiscard]] bool is_armed() const noexcept { return index_ != none; }
    /// When it is armed for; `never` if it is not.
    [[nodiscard]] instant when() const noexcept { return at_; }
    /// Called once the time has come, when it is no longer armed. It may destroy the timer.
    virtual void expired() = 0;

protected:
    ~timer() { LEVERET_ASSERT(!is_armed()); }

private:
    friend class timers;
    static constexpr std::size_t none = static_cast<std::size_t>(-1);
    instant at_ = instant::never();
    std::size_t index_ = none;
};

/// All times of a broker: a binary heap of timers that know their place in it.
class timers {
public:
    /// Throws std::bad_alloc when the heap must grow and can't, and then has disarmed the timer.
    void arm(timer& t, instant at)
    {
        disarm(t);
        if (at == instant::never())
            return;
        heap_.push_back(&t);
        t.at_ = at;
        t.index_ = heap_.size() - 1;
        rise(t.index_);
    }
    void disarm(timer& t) noexcept
    {
        if (!t.is_armed())
            return;
        const std::size_t hole = t.index_;
        t.index_ = timer::none;
        t.at_ = instant::never();
        timer* last = heap_.back();
        heap_.pop_back();
        if (last == &t)
            return;
        place(hole, last);
        rise(hole);
        sink(last->index_);
    }
    [[nodiscard]] instant next() const noexcept
    {
        return heap_.empty() ? instant::never() : heap_.front()->at_;
    }
    /// Disarms each timer whose time has come and calls it, earliest first.
    void expire(instant now)
    {
        while (next() <= now && !heap_.empty()) {
            timer& t = *heap_.front();
            disarm(t);
            t.expired();
        }
    }

private:
    void place(std::size_t i, timer* t) noexcept
    {
        heap_[i] = t;
        t->index_ = i;
    }
    void rise(std::size_t i) noexcept
    {
        while (i > 0 && heap_[i]->at_ < heap_[(i - 1) / 2]->at_) {
            exchange(i, (i - 1) / 2);
            i = (i - 1) / 2;
        }
    }
    void sink(std::size_t i) noexcept
    {
        for (;;) {
            std::size_t least = i;
            for (std::size_t child = 2 * i + 1; child <= 2 * i + 2 && child < heap_.size(); ++child)
                if (heap_[child]->at_ < heap_[least]->at_)
                    least = child;
            if (least == i)
                return;
            exchange(i, least);
            i = least;
        }
    }
    void exchange(std::size_t a, std::size_t b) noexcept
    {
        timer* t = heap_[a];
        place(a, heap_[b]);
        place(b, t);
    }

    pod_vector<timer*> heap_;
};

} // namespace leveret::broker
