using System.Diagnostics;
using ResumableUploads.Testing;

namespace ResumableUploads.FunctionalTests.Repository;

/// <summary>A test that hangs fails by name, and does not stop the others.</summary>
public class TestTimeoutTests
{
    private const string HangVariable = "TEST_TIMEOUT_TESTS_HANG";

    [Fact]
    public async Task Hanging_test_fails_by_name_and_other_tests_continue()
    {
        // Only the child process has the variable, so the tests of the nested class hang only there.
        var start = new ProcessStartInfo("dotnet", [typeof(TestTimeoutTests).Assembly.Location, "-noColor", "-class", typeof(Hanging).FullName!])
        {
            RedirectStandardOutput = true,
            Environment = { [HangVariable] = "true", [TestTimeoutAttribute.Variable] = "15" },
        };
        using Process child = Process.Start(start)!;
        using var timeout = new CancellationTokenSource(TimeSpan.FromMinutes(4));
        try
        {
            string output = await child.StandardOutput.ReadToEndAsync(timeout.Token);
            await child.WaitForExitAsync(timeout.Token);
            Assert.NotEqual(0, child.ExitCode);
            Assert.Contains("Test_that_may_hang(blocksThread: True) [FAIL]", output, StringComparison.Ordinal);
            Assert.Contains("Test_that_may_hang(blocksThread: False) [FAIL]", output, StringComparison.Ordinal);
            Assert.Contains("timed out after 15000 milliseconds", output, StringComparison.Ordinal);
            Assert.Contains("Total: 3, Errors: 0, Failed: 2", output, StringComparison.Ordinal);
        }
        finally
        {
            if (!child.HasExited)
            {
                child.Kill(entireProcessTree: true);
            }
        }
    }

    [Fact]
    public void Every_test_project_has_a_timeout() => Assert.All(
        (string[])["ResumableUploads.UnitTests", "ResumableUploads.FunctionalTests", "ResumableUploads.FaultTests"],
        static project => Assert.Contains("[assembly: TestTimeout(", RepositoryFiles.Read($"tests/{project}/AssemblyInfo.cs"), StringComparison.Ordinal));

    /// <summary>The tests that hang in the child process.</summary>
    public class Hanging
    {
        private static readonly SemaphoreSlim NeverReleased = new(0);

        private static bool IsChild => Environment.GetEnvironmentVariable(HangVariable) is not null;

        [Theory]
        [InlineData(true)]
        [InlineData(false)]
        public async Task Test_that_may_hang(bool blocksThread)
        {
            if (!IsChild)
            {
                return;
            }

            if (blocksThread)
            {
                NeverReleased.Wait(CancellationToken.None);
            }

            await NeverReleased.WaitAsync(CancellationToken.None);
        }

        [Fact]
        public void Test_that_passes() => Assert.False(NeverReleased.Wait(0, CancellationToken.None));
    }
}
