using System.Reflection;
using Xunit.Sdk;
using Xunit.v3;

namespace ResumableUploads.Testing;

/// <summary>The test framework of xunit, with the timeout of <see cref="TestTimeoutAttribute"/> for every test.</summary>
public sealed class TimeoutTestFramework(string? configFileName) : XunitTestFramework(configFileName)
{
    private readonly string? _configFileName = configFileName;

    public TimeoutTestFramework()
        : this(null)
    {
    }

    protected override ITestFrameworkDiscoverer CreateDiscoverer(Assembly assembly) =>
        new Discoverer(new XunitTestAssembly(assembly, _configFileName), assembly.GetCustomAttribute<TestTimeoutAttribute>()!.Timeout);

    private sealed class Discoverer(IXunitTestAssembly assembly, TimeSpan timeout) : XunitTestFrameworkDiscoverer(assembly)
    {
        protected override ValueTask<bool> FindTestsForMethod(
            IXunitTestMethod testMethod, ITestFrameworkDiscoveryOptions discoveryOptions, Func<ITestCase, ValueTask<bool>> discoveryCallback)
        {
            // The method creates its attributes once, and each of its test cases copies the timeout from them.
            foreach (FactAttribute attribute in testMethod.FactAttributes.OfType<FactAttribute>().Where(static attribute => attribute.Timeout == 0))
            {
                attribute.Timeout = (int)timeout.TotalMilliseconds;
            }

            return base.FindTestsForMethod(testMethod, discoveryOptions, discoveryCallback);
        }
    }
}
