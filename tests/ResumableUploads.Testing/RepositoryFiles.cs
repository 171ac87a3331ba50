using System.Diagnostics;

namespace ResumableUploads.Testing;

/// <summary>The files that this test assembly was built from.</summary>
internal static class RepositoryFiles
{
    /// <summary>The directory of the solution.</summary>
    public static string Root { get; } = FindRoot();

    public static string Read(string path) => File.ReadAllText(Path.Combine(Root, path));

    /// <summary>Every file that is kept under version control, relative to <see cref="Root"/>; the test is skipped where git cannot tell.</summary>
    public static string[] Files()
    {
        try
        {
            var start = new ProcessStartInfo("git", ["-c", "safe.directory=*", "ls-files", "-z"])
            {
                WorkingDirectory = Root,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            using Process git = Process.Start(start)!;
            _ = git.StandardError.ReadToEndAsync();
            string[] files = git.StandardOutput.ReadToEnd().Split('\0', StringSplitOptions.RemoveEmptyEntries);
            git.WaitForExit();
            Assert.SkipUnless(git.ExitCode == 0, "This is not a git checkout.");
            return [.. files.Where(static file => File.Exists(Path.Combine(Root, file)))];
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Skip("git is missing.");
            return [];
        }
    }

    private static string FindRoot()
    {
        DirectoryInfo? directory = new(AppContext.BaseDirectory);
        while (directory is not null && !File.Exists(Path.Combine(directory.FullName, "ResumableUploadMiddleware.sln")))
        {
            directory = directory.Parent;
        }

        return directory?.FullName ?? throw new InvalidOperationException("The tests run outside of the repository.");
    }
}
