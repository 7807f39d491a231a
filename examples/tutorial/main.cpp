// The `main` of the tutorial's programs: reads their arguments, gives them an io_context, ends them in order on Ctrl-C,
// and makes an exit status of how they ended.
//
//     send --transport amqp://guest:guest@localhost/
//     tutorials --transport memory://demo receive --count 1 + send
//
// `tutorials` is all of them in one program, and runs several in one process, so that they can meet at a broker that
// is in this process as well. Each begins when the one before it is ready for messages, or has ended.
#include "tutorial.hpp"

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/error.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/signal_set.hpp>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <exception>

namespace tutorial {

namespace {

std::vector<const program*>& programs()
{
    static std::vector<const program*> all;
    return all;
}

/// A program and what it is told.
struct job {
    const program* what;
    arguments args;
};

/// Reads the options that the program's usage names, and the words behind them if it has any.
job parse(const program& what, const std::vector<std::string>& words, const std::string& transport)
{
    arguments args;
    args.transport = transport;
    std::size_t i = 0;
    for (; i < words.size() && words[i].starts_with("--"); ++i) {
        if (words[i] != "--transport" && what.usage().find("[" + words[i]) == std::string_view::npos)
            refuse("no such option: " + words[i]);
        if (words[i] == "--quick")
            args.quick = true;
        else if (i + 1 == words.size())
            refuse(words[i] + " needs a value");
        else if (words[i] == "--transport")
            args.transport = words[++i];
        else if ((args.count = number(words[++i])) == 0)
            refuse("--count needs a number above 0");
    }
    args.words.assign(words.begin() + static_cast<std::ptrdiff_t>(i), words.end());
    return {&what, std::move(args)};
}

/// The jobs of a command line: the one program that there is, or several, by their names, with a + between them.
std::vector<job> read(std::vector<std::string> words)
{
    const char* const given = std::getenv("LEVERET_URI");
    std::string transport = given != nullptr ? given : "amqp://guest:guest@localhost/";
    if (programs().size() == 1)
        return {parse(*programs()[0], words, transport)};

    if (words.size() > 1 && words[0] == "--transport") {
        transport = words[1];
        words.erase(words.begin(), words.begin() + 2);
    }
    std::vector<job> jobs;
    for (auto from = words.begin(); from != words.end();) {
        const auto to = std::find(from, words.end(), "+");
        const auto named = std::ranges::find_if(
            programs(), [&](const program* p) { return from != to && p->name() == *from; });
        if (named == programs().end())
            refuse("the name of a program is missing");
        jobs.push_back(parse(**named, std::vector(from + 1, to), transport));
        from = to == words.end() ? to : to + 1;
    }
    if (jobs.empty())
        refuse("no program given");
    return jobs;
}

/// Runs jobs until all of them have returned, one fails, or Ctrl-C cancels what they await. Then their connections
/// close in the background, and what they had not acknowledged goes back to its queue.
class runner {
public:
    explicit runner(std::vector<job> jobs) : jobs_(std::move(jobs)), running_(jobs_.size()) {}

    void run()
    {
        signals_.async_wait([this](asio::error_code ec, int) {
            if (ec)
                return;
            signals_.clear(); // a second Ctrl-C does not ask
            interrupt();
        });
        begin_next();
        context_.run();
        if (failure_)
            std::rethrow_exception(failure_);
    }

private:
    void begin_next()
    {
        if (begun_ == jobs_.size() || failure_)
            return;
        const std::size_t i = begun_++;
        const auto next = [this, i] {
            if (begun_ == i + 1)
                asio::post(context_, [this, i] {
                    if (begun_ == i + 1)
                        begin_next();
                });
        };
        jobs_[i].args.is_ready = next;
        const auto done = [this, next](std::exception_ptr e) {
            if (e && !failure_) {
                failure_ = e;
                interrupt();
            }
            if (--running_ == 0 || failure_)
                signals_.cancel();
            next();
        };
        asio::co_spawn(context_, (*jobs_[i].what)(jobs_[i].args),
                       asio::bind_cancellation_slot(interrupts_.emplace_back().slot(), done));
    }
    void interrupt()
    {
        for (auto& i : interrupts_)
            i.emit(asio::cancellation_type::terminal);
    }

    asio::io_context context_{1};
    asio::signal_set signals_{context_, SIGINT, SIGTERM};
    std::deque<asio::cancellation_signal> interrupts_;
    std::vector<job> jobs_;
    std::size_t begun_ = 0;
    std::size_t running_; ///< or not begun
    std::exception_ptr failure_;
};

void print_usage()
{
    if (programs().size() > 1)
        std::cerr << "Usage: tutorials [--transport URL] PROGRAM [ARGUMENT]... [+ PROGRAM [ARGUMENT]...]...\n";
    for (const program* p : programs())
        std::cerr << (programs().size() > 1 ? "  " : "Usage: ") << p->name() << " [--transport URL]"
                  << p->usage().substr(p->name().size()) << '\n';
}

} // namespace

program::program(function work, std::string_view usage) : work_(work), usage_(usage)
{
    programs().push_back(this);
}

} // namespace tutorial

int main(int argc, char** argv)
try {
    std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ); // each line is seen when it is printed
    tutorial::runner(tutorial::read(std::vector<std::string>(argv + 1, argv + argc))).run();
    return 0;
} catch (const std::invalid_argument& e) {
    std::cerr << e.what() << '\n';
    tutorial::print_usage();
    return 2;
} catch (const std::system_error& e) {
    if (e.code() == asio::error::operation_aborted) {
        std::cout << "Interrupted\n";
        return 0;
    }
    std::cerr << "Error: " << e.what() << '\n';
    return 1;
} catch (const std::exception& e) {
    std::cerr << "Error: " << e.what() << '\n';
    return 1;
}
