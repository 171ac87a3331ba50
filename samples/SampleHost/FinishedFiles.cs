using Microsoft.Extensions.Options;
using ResumableUploads;

namespace SampleHost;

/// <summary>The directory of the finished files.</summary>
public sealed class FinishedFiles(IOptions<ResumableUploadOptions> options, IHostEnvironment environment)
{
    public string Directory { get; } = Path.Combine(Path.GetFullPath(options.Value.Directory ?? "uploads", environment.ContentRootPath), "finished");

    /// <summary>Returns the finished files, newest first.</summary>
    public IReadOnlyList<FinishedFile> List() =>
        new DirectoryInfo(Directory) is { Exists: true } directory
            ? [.. directory.EnumerateFiles()
                .Where(static file => file.Name[0] != '.')
                .OrderByDescending(static file => file.LastWriteTimeUtc)
                .Select(static file => new FinishedFile(file.Name, file.Length, file.LastWriteTimeUtc))]
            : [];

    /// <summary>Returns the path of a file by a name from <see cref="List"/>, or <see langword="null"/> if there is no such file.</summary>
    public string? Find(string name)
    {
        string path = Path.Combine(Directory, name);
        return Path.GetFileName(name) == name && name[0] != '.' && File.Exists(path) ? path : null;
    }
}

/// <summary>A completely uploaded file.</summary>
public sealed record FinishedFile(string Name, long Size, DateTime Received);
