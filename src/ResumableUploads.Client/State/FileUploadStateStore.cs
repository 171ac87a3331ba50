using System.Text.Json;
using ResumableUploads.Client.State;

namespace ResumableUploads.Client;

/// <summary>Keeps the states of uploads in a directory, one small file each. On Unix, only the current user can read them.</summary>
public sealed class FileUploadStateStore : IUploadStateStore
{
    private const UnixFileMode PrivateFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private readonly string _directory;

    /// <summary>Initializes a new instance of the <see cref="FileUploadStateStore"/> class. The directory is created when it is needed.</summary>
    /// <param name="directory">The directory.</param>
    /// <exception cref="ArgumentException"><paramref name="directory"/> is empty.</exception>
    public FileUploadStateStore(string directory)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(directory);
        _directory = Path.GetFullPath(directory);
    }

    /// <inheritdoc/>
    /// <exception cref="IOException">On Unix, the directory is writable by the group or others.</exception>
    public async ValueTask<UploadStateEntry?> GetAsync(string key, CancellationToken cancellationToken)
    {
        ThrowIfShared();
        try
        {
            byte[] json = await File.ReadAllBytesAsync(GetPath(key), cancellationToken);
            return JsonSerializer.Deserialize(json, UploadStateJsonContext.Default.UploadStateEntry) is { Upload.Uri.IsAbsoluteUri: true, Fingerprint: not null } state ? state : null;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException or JsonException)
        {
            // A file that cannot be parsed was damaged. The upload starts again.
            return null;
        }
    }

    /// <inheritdoc/>
    /// <exception cref="IOException">On Unix, the directory is writable by the group or others.</exception>
    public async ValueTask SetAsync(string key, UploadStateEntry state, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(state);
        string path = GetPath(key);
        CreateDirectory();
        ThrowIfShared();

        // A reader sees the old or the new file, also after a crash of the process.
        string temporary = $"{path}.{Guid.NewGuid():N}.tmp";
        try
        {
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Options = FileOptions.Asynchronous };
            if (!OperatingSystem.IsWindows())
            {
                options.UnixCreateMode = PrivateFile;
            }

            await using (var file = new FileStream(temporary, options))
            {
                await JsonSerializer.SerializeAsync(file, state, UploadStateJsonContext.Default.UploadStateEntry, cancellationToken);
            }

            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    /// <inheritdoc/>
    public ValueTask RemoveAsync(string key, CancellationToken cancellationToken)
    {
        try
        {
            File.Delete(GetPath(key));
        }
        catch (DirectoryNotFoundException)
        {
            // Nothing was stored.
        }

        return ValueTask.CompletedTask;
    }

    private string GetPath(string key)
    {
        ArgumentException.ThrowIfNullOrEmpty(key);
        return key.All(char.IsAsciiHexDigit) ? Path.Combine(_directory, key + ".json") : throw new ArgumentException("The key must be hexadecimal digits.", nameof(key));
    }

    /// <summary>Throws if other users can replace the files, and with them the URLs to which the client sends access tokens.</summary>
    private void ThrowIfShared()
    {
        if (!OperatingSystem.IsWindows() && Directory.Exists(_directory) && (File.GetUnixFileMode(_directory) & (UnixFileMode.GroupWrite | UnixFileMode.OtherWrite)) != 0)
        {
            throw new IOException($"The directory '{_directory}' of the upload states is writable by other users, who could redirect uploads. Remove the permission with 'chmod go-w', or use another directory.");
        }
    }

    private void CreateDirectory()
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(_directory);
        }
        else
        {
            Directory.CreateDirectory(_directory, PrivateFile | UnixFileMode.UserExecute);
        }
    }
}
