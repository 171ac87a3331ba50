namespace ResumableUploads.Blazor;

/// <summary>The arguments of <see cref="ResumableUpload.OnUploadCompleted"/>.</summary>
/// <param name="Upload">The upload.</param>
/// <param name="Result">The response of the server.</param>
public sealed record UploadCompletedEventArgs(BrowserUpload Upload, BrowserUploadResult Result);

/// <summary>The arguments of <see cref="ResumableUpload.OnUploadFailed"/>.</summary>
/// <param name="Upload">The upload.</param>
/// <param name="Failure">The failure.</param>
public sealed record UploadFailedEventArgs(BrowserUpload Upload, BrowserUploadFailure Failure);

/// <summary>The arguments of <see cref="ResumableUpload.OnStateChanged"/>.</summary>
/// <param name="Upload">The upload with its new state.</param>
/// <param name="PreviousState">The state that was reported before, or <see langword="null"/> for a new upload.</param>
public sealed record UploadStateChangedEventArgs(BrowserUpload Upload, BrowserUploadState? PreviousState);

/// <summary>The arguments of <see cref="ResumableUpload.OnSignIn"/>.</summary>
/// <param name="Upload">The upload whose request was rejected.</param>
public sealed record UploadSignInEventArgs(BrowserUpload Upload);
