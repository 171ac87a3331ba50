namespace ResumableUploads.Cli.Files;

/// <summary>Resolves symbolic links.</summary>
internal static class RealPath
{
    /// <summary>The maximum number of links in one path, as in Linux.</summary>
    private const int MaxLinks = 40;

    /// <summary>Returns the path without symbolic links. A part that does not exist is kept.</summary>
    public static string Of(string path)
    {
        int links = 0;
        return Resolve(Path.GetFullPath(path), ref links);
    }

    private static string Resolve(string fullPath, ref int links)
    {
        string root = Path.GetPathRoot(fullPath)!;
        string current = root;
        foreach (string name in fullPath[root.Length..].Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries))
        {
            string next = Path.Join(current, name);
            if (new DirectoryInfo(next).LinkTarget is { } target && ++links <= MaxLinks)
            {
                next = Resolve(Path.GetFullPath(target, current), ref links);
            }

            current = next;
        }

        return current;
    }
}
