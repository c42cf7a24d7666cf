// Carries the precompiled header of the test programs; see pch.h. Its main is that of GoogleTest.
