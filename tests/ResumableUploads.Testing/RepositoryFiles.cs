using System.IO.Enumeration;

namespace ResumableUploads.Testing;

/// <summary>The files of the repository from which this test assembly was built.</summary>
internal static class RepositoryFiles
{
    private static readonly Lazy<string[]> All = new(static () => [.. Walk("", Ignored()).Order(StringComparer.Ordinal)]);

    /// <summary>Gets the directory of the solution.</summary>
    public static string Root { get; } = FindRoot();

    public static string Read(string path) => File.ReadAllText(Path.Combine(Root, path));

    /// <summary>Returns every file that <c>.gitignore</c> does not exclude, relative to <see cref="Root"/>, with slashes.</summary>
    public static IReadOnlyList<string> Files() => All.Value;

    /// <summary>Returns the files in a folder and its subfolders that have one of the extensions.</summary>
    public static IEnumerable<string> Files(string folder, params string[] extensions) => All.Value.Where(file =>
        (folder.Length == 0 || file.StartsWith(folder + "/", StringComparison.Ordinal)) && extensions.Contains(Path.GetExtension(file)));

    private static IEnumerable<string> Walk(string folder, string[] ignored)
    {
        foreach (FileSystemInfo entry in new DirectoryInfo(Path.Combine(Root, folder)).EnumerateFileSystemInfos())
        {
            bool isDirectory = entry is DirectoryInfo;
            string path = folder.Length == 0 ? entry.Name : $"{folder}/{entry.Name}";
            if (entry.Name == ".git" || ignored.Any(pattern => Matches(pattern, path, isDirectory)))
            {
                continue;
            }

            if (!isDirectory)
            {
                yield return path;
            }
            else if (entry.LinkTarget is null)
            {
                foreach (string file in Walk(path, ignored))
                {
                    yield return file;
                }
            }
        }
    }

    /// <summary>Implements the patterns that the repository uses: <c>name/</c>, <c>/path/</c>, <c>/path*</c> and <c>*.ext</c>.</summary>
    private static bool Matches(string pattern, string path, bool isDirectory) =>
        (isDirectory || !pattern.EndsWith('/'))
        && FileSystemName.MatchesSimpleExpression(pattern.Trim('/'), pattern.StartsWith('/') ? path : Path.GetFileName(path), ignoreCase: false);

    private static string[] Ignored() =>
        [.. File.ReadLines(Path.Combine(Root, ".gitignore")).Select(static line => line.Trim()).Where(static line => line.Length > 0 && line[0] != '#')];

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
