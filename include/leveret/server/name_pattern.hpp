#pragma once

#include "leveret/core/errc.hpp"
#include "leveret/core/error.hpp"
#include "leveret/core/escape.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace leveret::broker {

/// A regular expression for names of queues and exchanges, as permissions have them: the part of the usual
/// language that needs no going back. All ways through the expression are followed at once, so the time is the
/// length of the name times that of the expression at most, whoever wrote either.
///
///     .  [a-z]  [^_]  \d \w \s \D \W \S  \. and other marks  (..)  (?:..)  a|b  * + ? {2} {2,} {2,5}  ^  $
///
/// It is looked for anywhere in the name unless ^ and $ say otherwise. Bytes are compared, not characters. The
/// empty expression matches the empty name alone. Source: RabbitMQ, access control.
class name_pattern {
public:
    static constexpr std::size_t most_instructions =
        4096;                              ///< of one expression, repetitions written out
    static constexpr int most_groups = 64; ///< inside one another

    name_pattern() : name_pattern("") {}
    /// Throws usage_error for what is no expression, or one that this class does not have.
    explicit name_pattern(std::string_view expression)
        : text_(expression.empty() ? "^$" : expression)
    {
        rest_ = text_;
        code_ = alternatives(0);
        if (!rest_.empty())
            fail("a ) without its (");
        code_.push_back({op::match, 0, 0});
        rest_ = {};
    }

    [[nodiscard]] bool matches(std::string_view name) const
    {
        threads now(code_.size());
        threads next(code_.size());
        for (std::size_t at = 0;; ++at) {
            if (now.follow(code_, 0, at, name.size())) // it may begin anywhere
                return true;
            if (at == name.size())
                return false;
            const auto octet = static_cast<unsigned char>(name[at]);
            for (const std::uint32_t i : now.list)
                if (code_[i].what == op::set && sets_[code_[i].set].has(octet) &&
                    next.follow(code_, i + 1, at + 1, name.size()))
                    return true;
            std::swap(now, next);
            next.clear();
        }
    }

private:
    enum class op : std::uint8_t { set, split, jump, begin, end, match };
    struct instruction {
        op what;
        std::uint32_t set; // of op::set
        std::int32_t to;   // of op::split and op::jump, from here
    };
    using program = std::vector<instruction>;

    struct octet_set {
        std::uint64_t words[4] = {};
        void add(unsigned octet) noexcept { words[octet / 64] |= std::uint64_t{1} << (octet % 64); }
        void add(unsigned from, unsigned to) noexcept
        {
            for (unsigned i = from; i <= to; ++i)
                add(i);
        }
        void add(const octet_set& o) noexcept
        {
            for (int i = 0; i < 4; ++i)
                words[i] |= o.words[i];
        }
        [[nodiscard]] octet_set inverse() const noexcept
        {
            octet_set o;
            for (int i = 0; i < 4; ++i)
                o.words[i] = ~words[i];
            return o;
        }
        [[nodiscard]] bool has(unsigned octet) const noexcept
        {
            return ((words[octet / 64] >> (octet % 64)) & 1U) != 0;
        }
    };

    /// The places in the program that are reached at one position of the name, each once.
    struct threads {
        explicit threads(std::size_t n) : seen(n, false) {}
        void clear()
        {
            for (const std::uint32_t i : list)
                seen[i] = false;
            for (const std::uint32_t i : passed)
                seen[i] = false;
            list.clear();
            passed.clear();
        }
        /// Adds what is reached from `start` without reading; true if that is the end.
        bool follow(const program& code, std::size_t start, std::size_t at, std::size_t size)
        {
            open.push_back(static_cast<std::uint32_t>(start));
            while (!open.empty()) {
                const std::uint32_t i = open.back();
                open.pop_back();
                if (seen[i])
                    continue;
                seen[i] = true;
                const instruction& x = code[i];
                const auto target = static_cast<std::uint32_t>(static_cast<std::int64_t>(i) + x.to);
                if (x.what == op::match)
                    return true;
                (x.what == op::set ? list : passed).push_back(i);
                if (x.what == op::split || x.what == op::jump)
                    open.push_back(target);
                if (x.what == op::split || (x.what == op::begin && at == 0) ||
                    (x.what == op::end && at == size))
                    open.push_back(i + 1);
            }
            return false;
        }
        std::vector<bool> seen;
        std::vector<std::uint32_t> list;   // that read an octet
        std::vector<std::uint32_t> passed; // that don't
        std::vector<std::uint32_t> open;
    };

    [[noreturn]] void fail(std::string_view why) const
    {
        throw usage_error(make_error_code(errc::invalid_argument),
                          "no pattern for names: '" + escaped(text_) + "': " + std::string(why) +
                              " (at " + std::to_string(text_.size() - rest_.size()) + ")");
    }
    [[nodiscard]] bool next_is(char c) const noexcept
    {
        return !rest_.empty() && rest_.front() == c;
    }
    char take()
    {
        if (rest_.empty())
            fail("it ends too early");
        const char c = rest_.front();
        rest_.remove_prefix(1);
        return c;
    }
    [[nodiscard]] bool take_if(char c) noexcept
    {
        if (!next_is(c))
            return false;
        rest_.remove_prefix(1);
        return true;
    }
    void append(program& to, const program& more) const
    {
        if (to.size() + more.size() > most_instructions)
            fail("it is too long");
        to.insert(to.end(), more.begin(), more.end());
    }
    [[nodiscard]] static std::int32_t length(const program& p) noexcept
    {
        return static_cast<std::int32_t>(p.size());
    }

    program alternatives(int depth);
    program sequence(int depth);
    program repeated(program one);
    program counted(const program& one);
    program atom(int depth);
    program read(const octet_set& s)
    {
        sets_.push_back(s);
        return {{op::set, static_cast<std::uint32_t>(sets_.size() - 1), 0}};
    }
    octet_set escape_sequence();
    octet_set bracket();
    unsigned number();

    std::string text_;
    std::string_view rest_; // while it is read
    std::vector<octet_set> sets_;
    program code_;
};

inline name_pattern::program name_pattern::alternatives(int depth)
{
    program all = sequence(depth);
    while (take_if('|')) {
        const program other = sequence(depth);
        program both{{op::split, 0, length(all) + 2}};
        append(both, all);
        both.push_back({op::jump, 0, length(other) + 1});
        append(both, other);
        all = std::move(both);
    }
    return all;
}

inline name_pattern::program name_pattern::sequence(int depth)
{
    program all;
    while (!rest_.empty() && !next_is('|') && !next_is(')'))
        append(all, repeated(atom(depth)));
    return all;
}

inline name_pattern::program name_pattern::repeated(program one)
{
    for (;;) {
        program made;
        if (take_if('*')) {
            made.push_back({op::split, 0, length(one) + 2});
            append(made, one);
            made.push_back({op::jump, 0, -(length(one) + 1)});
        } else if (take_if('+')) {
            made = one;
            made.push_back({op::split, 0, -length(one)});
        } else if (take_if('?')) {
            made.push_back({op::split, 0, length(one) + 1});
            append(made, one);
        } else if (take_if('{')) {
            made = counted(one);
        } else {
            return one;
        }
        static_cast<void>(take_if('?')); // as few as possible: the same, for whether it matches
        one = std::move(made);
    }
}

/// {n}, {n,}, {n,m}: written out.
inline name_pattern::program name_pattern::counted(const program& one)
{
    const unsigned least = number();
    unsigned most = least;
    bool is_open = false;
    if (take_if(',')) {
        is_open = next_is('}');
        most = is_open ? least : number();
    }
    if (take() != '}' || most < least)
        fail("a repetition is {n}, {n,} or {n,m}");
    program made;
    for (unsigned i = 0; i < least; ++i)
        append(made, one);
    for (unsigned i = least; i < most; ++i) {
        made.push_back({op::split, 0, length(one) + 1});
        append(made, one);
    }
    if (is_open) {
        made.push_back({op::split, 0, length(one) + 2});
        append(made, one);
        made.push_back({op::jump, 0, -(length(one) + 1)});
    }
    return made;
}

inline unsigned name_pattern::number()
{
    unsigned n = 0;
    if (rest_.empty() || rest_.front() < '0' || rest_.front() > '9')
        fail("a number is missing");
    while (!rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9') {
        n = n * 10 + static_cast<unsigned>(take() - '0');
        if (n > most_instructions)
            fail("it is too long");
    }
    return n;
}

inline name_pattern::program name_pattern::atom(int depth)
{
    const char c = take();
    switch (c) {
    case '(': {
        if (depth >= most_groups)
            fail("groups are nested too deeply");
        if (take_if('?') && !take_if(':'))
            fail("of (? only (?: is known");
        program inner = alternatives(depth + 1);
        if (!take_if(')'))
            fail("a ( without its )");
        return inner;
    }
    case '^': return {{op::begin, 0, 0}};
    case '$': return {{op::end, 0, 0}};
    case '[': return read(bracket());
    case '\\': return read(escape_sequence());
    case '*':
    case '+':
    case '?':
    case '{': fail("nothing to repeat");
    case '.': {
        octet_set all;
        all.add('\n');
        return read(all.inverse());
    }
    default: {
        octet_set one;
        one.add(static_cast<unsigned char>(c));
        return read(one);
    }
    }
}

inline name_pattern::octet_set name_pattern::escape_sequence()
{
    const char c = take();
    octet_set s;
    switch (c) {
    case 'd':
    case 'D': s.add('0', '9'); return c == 'D' ? s.inverse() : s;
    case 's':
    case 'S':
        s.add(' ');
        s.add('\t', '\r');
        return c == 'S' ? s.inverse() : s;
    case 'w':
    case 'W':
        s.add('0', '9');
        s.add('a', 'z');
        s.add('A', 'Z');
        s.add('_');
        return c == 'W' ? s.inverse() : s;
    case 'n': s.add('\n'); return s;
    case 't': s.add('\t'); return s;
    case 'r': s.add('\r'); return s;
    default: break;
    }
    if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
        fail("this escape is not known");
    s.add(static_cast<unsigned char>(c));
    return s;
}

inline name_pattern::octet_set name_pattern::bracket()
{
    const bool is_inverse = take_if('^');
    octet_set s;
    for (bool first = true; first || !next_is(']'); first = false) {
        char from = take();
        if (from == '[' && (next_is(':') || next_is('.') || next_is('=')))
            fail("classes of POSIX, as [:digit:], are not known");
        if (from == '\\') {
            const std::string_view before = rest_;
            const octet_set set = escape_sequence();
            const char c = before.front();
            if ((c >= 'a' && c <= 'z') ||
                (c >= 'A' && c <= 'Z')) { // no single octet, or none to count from
                s.add(set);
                continue;
            }
            from = c;
        }
        if (rest_.size() < 2 || rest_[0] != '-' || rest_[1] == ']') {
            s.add(static_cast<unsigned char>(from));
            continue;
        }
        static_cast<void>(take());
        char to = take();
        if (to == '\\')
            to = take();
        if (static_cast<unsigned char>(to) < static_cast<unsigned char>(from))
            fail("a range that ends before it begins");
        s.add(static_cast<unsigned char>(from), static_cast<unsigned char>(to));
    }
    static_cast<void>(take());
    return is_inverse ? s.inverse() : s;
}

} // namespace leveret::broker
