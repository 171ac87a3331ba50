using System.Globalization;
using Xunit.v3;

namespace ResumableUploads.Testing;

/// <summary>
/// Sets the timeout of every test in the assembly that has none of its own. A test that exceeds it fails by name, and the other tests continue.
/// Without it, a test that hangs is only visible as a run that never ends.
/// </summary>
/// <param name="seconds">The timeout, in seconds.</param>
[AttributeUsage(AttributeTargets.Assembly)]
public sealed class TestTimeoutAttribute(int seconds) : Attribute, ITestFrameworkAttribute
{
    /// <summary>The environment variable that overrides the timeout, in seconds.</summary>
    public const string Variable = "TEST_TIMEOUT_SECONDS";

    public Type FrameworkType => typeof(TimeoutTestFramework);

    public TimeSpan Timeout => TimeSpan.FromSeconds(
        int.TryParse(Environment.GetEnvironmentVariable(Variable), NumberStyles.None, CultureInfo.InvariantCulture, out int overridden) ? overridden : seconds);
}
