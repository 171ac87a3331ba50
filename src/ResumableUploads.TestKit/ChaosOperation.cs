using ResumableUploads.Abstractions;

namespace ResumableUploads.TestKit;

/// <summary>Specifies the method of a store into which a fault is injected.</summary>
public enum ChaosOperation
{
    /// <summary><see cref="IUploadStore.CreateAsync"/>.</summary>
    Create = 0,

    /// <summary><see cref="IUploadStore.GetAsync"/>.</summary>
    Get = 1,

    /// <summary><see cref="IUploadStore.AppendAsync"/>.</summary>
    Append = 2,

    /// <summary><see cref="IUploadStore.UpdateAsync"/>.</summary>
    Update = 3,

    /// <summary><see cref="IUploadStore.OpenReadAsync"/>.</summary>
    OpenRead = 4,

    /// <summary><see cref="IUploadStore.DeleteAsync"/>.</summary>
    Delete = 5,

    /// <summary><see cref="IUploadStore.ListAsync"/>.</summary>
    List = 6,

    /// <summary><see cref="IUploadStore.CompleteAsync"/>.</summary>
    Complete = 7,

    /// <summary><see cref="IUploadStore.GetResponseAsync"/>.</summary>
    GetResponse = 8,
}

/// <summary>Specifies when a fault happens in a call.</summary>
public enum ChaosTiming
{
    /// <summary>Before the inner store is called.</summary>
    BeforeCall = 0,

    /// <summary>After the inner store has succeeded, so that the caller does not get the result. For a listing, after the last upload.</summary>
    AfterCall = 1,
}
