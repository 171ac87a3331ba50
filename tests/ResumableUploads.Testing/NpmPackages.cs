using System.Diagnostics;

namespace ResumableUploads.Testing;

/// <summary>The npm packages of a folder of the repository, in the versions of its lock file.</summary>
internal sealed class NpmPackages
{
    private const int MaxAttempts = 4;
    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(5);
    private readonly Lazy<Task<string?>> _installation;

    /// <param name="folder">The folder with <c>package.json</c>, relative to the root of the repository.</param>
    public NpmPackages(string folder)
    {
        Directory = Path.Combine(RepositoryFiles.Root, folder);
        _installation = new Lazy<Task<string?>>(InstallAsync);
    }

    public string Directory { get; }

    private FileInfo LockFile => new(Path.Combine(Directory, "package-lock.json"));

    /// <summary>Gets the file that npm writes when all packages are installed.</summary>
    private FileInfo Installed => new(Path.Combine(Directory, "node_modules", ".package-lock.json"));

    /// <summary>Installs the packages if they are missing or older than the lock file. Skips the test if that is not possible.</summary>
    public async Task RequireAsync()
    {
        string? missing = await _installation.Value;
        Needs.Require(missing is null, missing ?? "");
    }

    private async Task<string?> InstallAsync()
    {
        if (await Needs.RunAsync("node", "--version") is not 0)
        {
            return "node is not installed.";
        }

        if (Installed.Exists && Installed.LastWriteTimeUtc >= LockFile.LastWriteTimeUtc)
        {
            return null;
        }

        // A registry can fail briefly, and all tests that need the packages share this installation.
        string? failure = null;
        for (int i = 0; i < MaxAttempts; i++)
        {
            failure = await TryInstallAsync();
            if (failure is null)
            {
                return null;
            }

            await Task.Delay(RetryDelay, TimeProvider.System);
        }

        return failure;
    }

    private async Task<string?> TryInstallAsync()
    {
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
            return npm.ExitCode == 0 ? null : $"npm could not install the packages in {Directory}:\n{errors}";
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return "npm is not installed.";
        }
    }
}
