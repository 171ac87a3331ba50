using System.Reflection;

namespace ResumableUploads.Cli;

internal static class Product
{
    /// <summary>Gets the version without the commit.</summary>
    public static string Version { get; } =
        typeof(Product).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];
}
