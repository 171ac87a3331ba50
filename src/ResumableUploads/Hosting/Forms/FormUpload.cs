using System.Diagnostics.CodeAnalysis;

namespace ResumableUploads;

/// <summary>The upload that an id in a form refers to.</summary>
public sealed class FormUpload
{
    internal FormUpload(string id, FormUploadStatus status, CompletedUpload? upload = null, Func<CancellationToken, Task>? delete = null)
    {
        Id = id;
        Status = status;
        Upload = upload;
        Delete = delete;
    }

    /// <summary>Gets the id as the client sent it: that of <c>X-File-Id</c>. Encode it for display; never use it as a path.</summary>
    public string Id { get; }

    /// <summary>Gets what the id refers to.</summary>
    public FormUploadStatus Status { get; }

    /// <summary>Gets whether <see cref="Upload"/> can be used.</summary>
    [MemberNotNullWhen(true, nameof(Upload))]
    public bool IsCompleted => Upload is not null;

    /// <summary>
    /// Gets the upload, or <see langword="null"/> if <see cref="Status"/> is not <see cref="FormUploadStatus.Completed"/>. Moving its content also
    /// deletes the upload from the store, so that the client can send the same file for another form. If the same form is sent twice at the
    /// same time, the second move throws <see cref="InvalidOperationException"/>; with several servers that share the storage, it can return the path of the first
    /// one. Its response cannot be changed any more.
    /// </summary>
    public CompletedUpload? Upload { get; }

    private Func<CancellationToken, Task>? Delete { get; }

    /// <summary>
    /// Deletes the upload and its content. Call it after the content was read, unless it was moved. Does nothing without an <see cref="Upload"/>, or if the client
    /// has sent another upload with the same id meanwhile.
    /// </summary>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>A task that completes when the upload is deleted.</returns>
    /// <exception cref="Abstractions.UploadStoreException">The storage failed, or another request uses the upload.</exception>
    public Task DeleteAsync(CancellationToken cancellationToken = default) => Delete?.Invoke(cancellationToken) ?? Task.CompletedTask;
}
