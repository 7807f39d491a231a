// expect: is not in the table of layers
#pragma once
