using ResumableUploads.Testing;

namespace ResumableUploads.FunctionalTests.Clients.Tus;

/// <summary>The npm packages of <c>tests/tus-clients</c>.</summary>
internal static class NodeModules
{
    private static readonly NpmPackages Packages = new("tests/tus-clients");

    public static string Directory => Packages.Directory;

    public static Task RequireAsync() => Packages.RequireAsync();
}
