using Microsoft.Extensions.Options;
using ResumableUploads;

namespace SampleHost;

/// <summary>The files that have arrived, in a directory below that of the uploads.</summary>
public sealed class FinishedFiles(IOptions<ResumableUploadOptions> options, IHostEnvironment environment)
{
    public string Directory { get; } = Path.Combine(Path.GetFullPath(options.Value.Directory, environment.ContentRootPath), "finished");

    /// <summary>What is there, newest first.</summary>
    public IReadOnlyList<FinishedFile> List() =>
        new DirectoryInfo(Directory) is { Exists: true } directory
            ? [.. directory.EnumerateFiles()
                .Where(static file => file.Name[0] != '.')
                .OrderByDescending(static file => file.LastWriteTimeUtc)
                .Select(static file => new FinishedFile(file.Name, file.Length, file.LastWriteTimeUtc))]
            : [];

    /// <summary>The path of a file that is there, by a name as <see cref="List"/> gives it; null for everything else.</summary>
    public string? Find(string name)
    {
        string path = Path.Combine(Directory, name);
        return Path.GetFileName(name) == name && name[0] != '.' && File.Exists(path) ? path : null;
    }
}

/// <summary>A file that has arrived.</summary>
public sealed record FinishedFile(string Name, long Size, DateTime Received);
