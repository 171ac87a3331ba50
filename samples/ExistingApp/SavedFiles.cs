using System.Security.Cryptography;

namespace ExistingApp;

/// <summary>Stores files under the digest of their content, so that the same content is stored once.</summary>
public sealed class SavedFiles(IConfiguration configuration, IHostEnvironment environment)
{
    private readonly string _directory = Path.GetFullPath(configuration["Saved"] ?? "saved", environment.ContentRootPath);

    /// <summary>Writes content to a file.</summary>
    public async Task<SavedFile> SaveAsync(Stream content, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(_directory);
        string temporary = Path.Combine(_directory, Path.GetRandomFileName() + ".part");
        try
        {
            SavedFile saved;
            await using (FileStream file = File.Create(temporary))
            {
                await content.CopyToAsync(file, cancellationToken);
                file.Position = 0;
                saved = new SavedFile(Convert.ToHexStringLower(await SHA256.HashDataAsync(file, cancellationToken)), file.Length);
            }

            File.Move(temporary, Path.Combine(_directory, saved.Digest), overwrite: true);
            return saved;
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    /// <summary>Returns the path of a file, or <see langword="null"/> if it does not exist.</summary>
    public string? Find(string digest) =>
        digest.Length == 64 && digest.All(char.IsAsciiHexDigitLower) && Path.Combine(_directory, digest) is var path && File.Exists(path) ? path : null;
}

/// <summary>A saved file.</summary>
public sealed record SavedFile(string Digest, long Size);
