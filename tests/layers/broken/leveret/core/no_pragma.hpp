// expect: no #pragma once
