namespace ResumableUploads.Cli.Files;

/// <summary>Finds the files to upload.</summary>
/// <param name="followLinks">Whether symbolic links in folders are followed. Those on the command line always are.</param>
internal sealed class FileCollector(bool followLinks)
{
    private readonly List<UploadItem> _items = [];
    private readonly List<FileProblem> _problems = [];
    private readonly HashSet<string> _paths = new(StringComparer.Ordinal);

    /// <summary>The real paths of the folders that were searched, so that links neither loop nor multiply files.</summary>
    private readonly HashSet<string> _folders = new(StringComparer.Ordinal);

    public IReadOnlyList<UploadItem> Items => _items;

    public IReadOnlyList<FileProblem> Problems => _problems;

    /// <summary>Adds a file, the files of a folder, or standard input.</summary>
    /// <exception cref="UsageException">The file does not exist.</exception>
    public void Add(string path)
    {
        if (path == UploadItem.StandardInput)
        {
            _items.Add(new UploadItem(path, path, null));
            return;
        }

        var folder = new DirectoryInfo(path);
        var file = new FileInfo(path);
        if (folder.Exists)
        {
            AddFolder(path, folder);
        }
        else if (file.Exists)
        {
            AddFile(file, path, null);
        }
        else
        {
            throw new UsageException(file.LinkTarget is null ? $"{path}: No such file or folder." : $"{path}: The target of the symbolic link does not exist.");
        }
    }

    private void AddFolder(string path, DirectoryInfo folder)
    {
        int count = _items.Count;
        int problems = _problems.Count;
        string name = Path.GetFileName(Path.TrimEndingDirectorySeparator(folder.FullName));
        Walk(folder, new Folder(Path.TrimEndingDirectorySeparator(path), name.Length > 0 ? name : "root", RealPath.Of(folder.FullName)));
        if (_items.Count == count && _problems.Count == problems)
        {
            _problems.Add(new FileProblem(path, "The folder has no files.", IsError: false));
        }
    }

    private void Walk(DirectoryInfo directory, Folder folder)
    {
        if (!_folders.Add(folder.RealPath))
        {
            if (followLinks)
            {
                _problems.Add(new FileProblem(folder.DisplayPath, "Skipped a folder that is already included by another path.", IsError: false));
            }

            return;
        }

        FileSystemInfo[] entries;
        try
        {
            entries = directory.GetFileSystemInfos();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _problems.Add(new FileProblem(folder.DisplayPath, $"The folder cannot be read: {e.Message}", IsError: true));
            return;
        }

        Array.Sort(entries, static (a, b) => string.CompareOrdinal(a.Name, b.Name));
        foreach (FileSystemInfo entry in entries)
        {
            string displayPath = Path.Join(folder.DisplayPath, entry.Name);
            string relativePath = $"{folder.RelativePath}/{entry.Name}";
            bool isLink = entry.LinkTarget is not null;
            if (isLink && !followLinks)
            {
                _problems.Add(new FileProblem(displayPath, "Skipped a symbolic link. --follow-links includes it.", IsError: false));
            }
            else if (entry is DirectoryInfo child)
            {
                Walk(child, new Folder(displayPath, relativePath, isLink ? RealPath.Of(child.FullName) : Path.Join(folder.RealPath, child.Name)));
            }
            else
            {
                AddEntry((FileInfo)entry, displayPath, relativePath);
            }
        }
    }

    private void AddEntry(FileInfo file, string displayPath, string relativePath)
    {
        if (!file.Exists || (file.LinkTarget is not null && file.ResolveLinkTarget(returnFinalTarget: true) is not { Exists: true }))
        {
            _problems.Add(new FileProblem(displayPath, "The target of the symbolic link does not exist.", IsError: true));
        }
        else if (SpecialFile.Is(file.FullName))
        {
            _problems.Add(new FileProblem(displayPath, "Skipped a pipe, socket or device.", IsError: false));
        }
        else
        {
            AddFile(file, displayPath, relativePath);
        }
    }

    private void AddFile(FileInfo file, string displayPath, string? relativePath)
    {
        // The same file can be on the command line, and in a folder that also is.
        if (!_paths.Add(file.FullName))
        {
            return;
        }

        // Attributes of a link are those of the link itself.
        var target = (FileInfo?)file.ResolveLinkTarget(returnFinalTarget: true) ?? file;
        bool isSpecial = SpecialFile.Is(file.FullName);
        _items.Add(new UploadItem(file.FullName, displayPath, isSpecial ? null : target.Length) { RelativePath = relativePath, LastModified = target.LastWriteTimeUtc });
    }

    private sealed record Folder(string DisplayPath, string RelativePath, string RealPath);
}
