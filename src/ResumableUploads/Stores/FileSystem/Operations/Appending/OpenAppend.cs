using System.Diagnostics.CodeAnalysis;
using ResumableUploads.Abstractions;

namespace ResumableUploads.Stores.FileSystem.Operations.Appending;

/// <summary>The result of opening an upload for an append: its lock and its files, or the reason why nothing is appended.</summary>
internal sealed class OpenAppend : IDisposable
{
    private bool _disposed;

    public OpenAppend(AppendResult refusal) => Refusal = refusal;

    public OpenAppend(LockedUpload upload, DataFile file) => (Upload, File) = (upload, file);

    public AppendResult? Refusal { get; }

    public LockedUpload? Upload { get; }

    public DataFile? File { get; }

    [MemberNotNullWhen(false, nameof(Refusal))]
    [MemberNotNullWhen(true, nameof(Upload), nameof(File))]
    public bool IsOpen => Refusal is null && !_disposed;

    public void Dispose()
    {
        _disposed = true;
        File?.Dispose();
        Upload?.Dispose();
    }
}
