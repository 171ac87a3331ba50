using System.Diagnostics;
using ResumableUploads.Testing;

namespace ResumableUploads.FunctionalTests.Clients.Tus;

/// <summary>The npm packages of <c>tests/tus-clients</c>, in the versions of its lock file.</summary>
internal static class NodeModules
{
    private static readonly Lazy<Task<string?>> Installation = new(InstallAsync);

    public static string Directory { get; } = Path.Combine(RepositoryFiles.Root, "tests", "tus-clients");

    private static FileInfo Lock => new(Path.Combine(Directory, "package-lock.json"));

    /// <summary>npm writes it when all packages are there.</summary>
    private static FileInfo Installed => new(Path.Combine(Directory, "node_modules", ".package-lock.json"));

    /// <summary>Installs what is missing or older than the lock file, once; skips the test where that cannot be done.</summary>
    public static async Task RequireAsync()
    {
        string? missing = await Installation.Value;
        Needs.Require(missing is null, missing ?? "");
    }

    private static async Task<string?> InstallAsync()
    {
        if (await Needs.RunAsync("node", "--version") is not 0)
        {
            return "node is not installed.";
        }

        if (Installed.Exists && Installed.LastWriteTimeUtc >= Lock.LastWriteTimeUtc)
        {
            return null;
        }

        try
        {
            using Process npm = Process.Start(new ProcessStartInfo("npm", ["ci"])
            {
                WorkingDirectory = Directory,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
            Task<string> output = npm.StandardOutput.ReadToEndAsync();
            string errors = await npm.StandardError.ReadToEndAsync();
            await output;
            await npm.WaitForExitAsync();
            return npm.ExitCode == 0 ? null : $"npm could not install the clients of tus:\n{errors}";
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return "npm is not installed.";
        }
    }
}
