using ResumableUploads.Abstractions;

namespace ResumableUploads.TestKit;

/// <summary>The calls of a store.</summary>
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

    /// <summary><see cref="IUploadStore.PutResponseAsync"/>.</summary>
    PutResponse = 7,

    /// <summary><see cref="IUploadStore.GetResponseAsync"/>.</summary>
    GetResponse = 8,
}

/// <summary>When something goes wrong in a call.</summary>
public enum ChaosTiming
{
    /// <summary>Before the store is asked: it has done nothing.</summary>
    BeforeCall = 0,

    /// <summary>After the store has done it: the caller does not learn its answer. For a listing, after the last upload.</summary>
    AfterCall = 1,
}
