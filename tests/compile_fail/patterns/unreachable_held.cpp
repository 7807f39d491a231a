// expect: a pattern is unreachable
#include <leveret/dispatch.hpp>

int main()
{
    const auto handler = [] {};
    leveret::dispatch wrong(leveret::handle<"#">(handler), leveret::handle<"a">(handler));
}
